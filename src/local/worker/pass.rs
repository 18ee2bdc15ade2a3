use super::backend::Shape;

/// Sessions that compute a pass together.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// Which, in rising order.
    pub lanes: Vec<usize>,
    /// Tokens of each branch.
    pub tokens: usize,
}

/// Up to so many tokens a pass costs hardly more than one of a single token, so shorter runs may be filled up to it.
const CHEAP: usize = 4;

/// Who computes together, of the lanes that are `ready` with so many tokens a branch, in rising order of lanes. The first one from
/// `turn` on gets all it wants. Others join it where little of their work would be for nothing: with as many tokens, or filled up.
/// Where a prompt waits as well, the pass is as short as can be. `None` where nobody is ready.
pub fn together(ready: &[(usize, usize)], turn: usize, prompt_waits: bool, shape: &Shape) -> Option<Group> {
    let first = ready.iter().find(|(lane, _)| *lane >= turn).or(ready.first())?;
    let least = shape.least.answer;
    let most = if prompt_waits { least } else { shape.most_answer };
    let most = most.min(shape.batch / 2).max(least);
    let tokens = first.1.clamp(least, most);
    let may_be_filled_up = |wants: usize| shape.rolls_back && (wants >= tokens.div_ceil(2) || tokens <= CHEAP);
    let joins = |wants: usize| wants >= tokens || may_be_filled_up(wants);
    let room = (shape.batch / (2 * tokens)).max(1);
    let others = ready.iter().filter(|(lane, wants)| *lane != first.0 && joins(*wants));
    let mut lanes: Vec<usize> = others.map(|(lane, _)| *lane).take(room - 1).collect();
    lanes.push(first.0);
    lanes.sort_unstable();
    Some(Group { lanes, tokens })
}

#[cfg(test)]
mod tests {
    use super::super::backend::RunLength;
    use super::*;

    const SHAPE: Shape = Shape {
        sequences: 16,
        length: 100,
        batch: 32,
        least: RunLength { prompt: 8, answer: 2 },
        most_answer: 16,
        rolls_back: true,
        token_bytes: 1,
    };

    fn group(ready: &[(usize, usize)], turn: usize) -> (Vec<usize>, usize) {
        let group = together(ready, turn, false, &SHAPE).unwrap();
        (group.lanes, group.tokens)
    }

    #[test]
    fn nobody_computes_nothing() {
        assert_eq!(together(&[], 3, false, &SHAPE), None);
    }

    #[test]
    fn equal_wants_go_together() {
        assert_eq!(group(&[(0, 4), (2, 4), (3, 4)], 2), (vec![0, 2, 3], 4));
    }

    #[test]
    fn a_single_token_is_filled_up() {
        assert_eq!(group(&[(1, 1)], 0), (vec![1], 2));
        assert_eq!(group(&[(0, 1), (1, 4)], 1), (vec![0, 1], 4));
    }

    #[test]
    fn nothing_is_filled_up_where_there_is_no_way_back() {
        let shape = Shape {
            rolls_back: false,
            least: RunLength { prompt: 1, answer: 1 },
            ..SHAPE
        };
        let group = together(&[(0, 1), (1, 3), (2, 2)], 2, false, &shape).unwrap();
        assert_eq!((group.lanes, group.tokens), (vec![1, 2], 2));
    }

    #[test]
    fn little_is_not_filled_up_to_much() {
        assert_eq!(group(&[(0, 1), (1, 8)], 1), (vec![1], 8));
        assert_eq!(group(&[(0, 1), (1, 8)], 2), (vec![0, 1], 2));
    }

    #[test]
    fn while_a_prompt_waits_nobody_gets_much_at_once() {
        let group = together(&[(0, 8), (1, 16), (2, 3)], 1, true, &SHAPE).unwrap();
        assert_eq!((group.lanes, group.tokens), (vec![0, 1, 2], 2));
    }

    #[test]
    fn a_pass_holds_no_more_than_the_batch() {
        assert_eq!(group(&[(0, 8), (1, 8), (2, 8)], 1), (vec![0, 1], 8));
        assert_eq!(group(&[(0, 99)], 0), (vec![0], 16));
    }
}

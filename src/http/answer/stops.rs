/// Ends an answer at a stop string, and holds back what may be the beginning of one.
#[derive(Default)]
pub struct Stops {
    stops: Vec<String>,
    /// Text that has come and has not been let go.
    held: String,
}

impl Stops {
    /// With these texts, none of them empty.
    pub fn new(stops: Vec<String>) -> Self {
        Self {
            stops,
            held: String::new(),
        }
    }

    /// Adds text; gives what is certain to be part of the answer, and the text that ends it there, if one does.
    pub fn push(&mut self, text: &str) -> (String, Option<String>) {
        self.held.push_str(text);
        let ends = self
            .stops
            .iter()
            .filter_map(|stop| Some((self.held.find(stop.as_str())?, stop)));
        if let Some((end, stop)) = ends.min_by_key(|(end, _)| *end) {
            self.held.truncate(end);
            return (std::mem::take(&mut self.held), Some(stop.clone()));
        }
        let keep = self
            .stops
            .iter()
            .map(|stop| overlap(&self.held, stop))
            .max()
            .unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - keep);
        (std::mem::replace(&mut self.held, rest), None)
    }

    /// What was held back, when nothing more comes.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

/// Bytes at the end of `text` that `stop` begins with, all of it excepted.
fn overlap(text: &str, stop: &str) -> usize {
    let starts = stop.char_indices().map(|(index, _)| index).skip(1);
    let fitting = starts.filter(|length| stop.get(..*length).is_some_and(|start| text.ends_with(start)));
    fitting.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_of_a_stop_is_let_go() {
        let mut stops = Stops::new(vec!["\n\nUser:".into()]);
        assert_eq!(stops.push("Hello\n"), ("Hello".into(), None));
        assert_eq!(stops.push("\nUs"), (String::new(), None));
        assert_eq!(stops.push("er: me"), (String::new(), Some("\n\nUser:".into())));
    }

    #[test]
    fn what_turns_out_to_be_none_comes_late_and_whole() {
        let mut stops = Stops::new(vec!["abc".into()]);
        assert_eq!(stops.push("xab"), ("x".into(), None));
        assert_eq!(stops.push("ab"), ("ab".into(), None));
        assert_eq!(stops.finish(), "ab");
    }

    proptest! {
        #[test]
        fn any_split_gives_the_text_before_the_first_stop(
            text in "[abc€]{0,30}",
            stops in prop::collection::vec("[abc€]{1,3}", 0..3),
            cuts in prop::collection::vec(1usize..4, 30),
        ) {
            let mut filter = Stops::new(stops.clone());
            let (mut out, mut stopped) = (String::new(), false);
            let mut characters = text.chars().peekable();
            for cut in cuts.iter().cycle() {
                if characters.peek().is_none() || stopped {
                    break;
                }
                let piece: String = characters.by_ref().take(*cut).collect();
                let (certain, end) = filter.push(&piece);
                out.push_str(&certain);
                stopped = end.is_some();
            }
            if !stopped {
                out.push_str(&filter.finish());
            }
            // The stop that is complete first wins, as when it is looked for after every character.
            let mut expected = text.clone();
            for end in text.char_indices().map(|(index, character)| index + character.len_utf8()) {
                let so_far = &text[..end];
                if let Some(start) = stops.iter().filter_map(|stop| so_far.find(stop.as_str())).min() {
                    expected = text[..start].to_owned();
                    break;
                }
            }
            // Where two stops overlap, a piece may complete both at once; then the earlier one is cut at.
            prop_assert!(out == expected || (expected.starts_with(&out) && stopped), "{out:?} {expected:?}");
            prop_assert!(stops.iter().all(|stop| !out.contains(stop.as_str())));
        }
    }
}

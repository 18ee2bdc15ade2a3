use super::Session;
use crate::vocabulary::TokenId;

/// How the small model is asked: for one position, or for several that the upstream has drafted already.
impl Session {
    /// Has the branches compute what they say about the next position, and about those after it as far as the upstream has drafted
    /// them. `draft` is the upstream's token at the next position, where that has been taken from the draft.
    ///
    /// Nothing happens where the upstream has drafted nothing, and waiting for it pays.
    pub(super) fn ask_branches(&mut self, draft: Option<TokenId>) {
        let Some(branches) = &mut self.branches else { return };
        let most = branches.max_block();
        let mut expected = Vec::from_iter(draft);
        // Where positions of tokens that are picked already have not come, what comes is not about the next one.
        if let Some(draft) = self.draft.as_mut().filter(|_| self.skipped.is_empty()) {
            expected.extend(draft.at_hand(most.saturating_sub(expected.len())));
        }
        if let Some(format) = self.format.as_mut().filter(|_| self.phases.is_prose()) {
            expected.truncate(format.follows(&expected));
        }
        if expected.is_empty() && self.window.better_block(most).is_some() {
            return;
        }
        // Each drafted token gives one position more than there are tokens: the one after the last.
        let positions = self.window.block(expected.len() + 1, most);
        expected.truncate(positions.saturating_sub(1));
        branches.ask(&expected);
    }

    /// Waits until the upstream has drafted as much as it pays to check at once. It is on the way already.
    pub(super) async fn wait_for_drafts(&mut self) {
        let (Some(branches), Some(draft)) = (&self.branches, &mut self.draft) else {
            return;
        };
        if !self.skipped.is_empty() {
            return;
        }
        let most = branches.max_block();
        let Some(better) = self.window.better_block(most) else {
            return;
        };
        // The position that is being picked at is in hand.
        let wanted = better.positions.saturating_sub(2);
        let enough = async {
            let mut count = draft.at_hand(most).len();
            while count < wanted {
                draft.one_more_than(count).await;
                let more = draft.at_hand(most).len();
                if more <= count {
                    return;
                }
                count = more;
            }
        };
        let _too_slow = tokio::time::timeout(better.patience, enough).await;
    }
}

use std::time::Instant;

use zeroize::Zeroizing;

use super::Worker;
use crate::local::worker::backend::{Kind, Pass, Run};
use crate::local::worker::lane::Lane;
use crate::local::worker::pass::together;
use crate::vocabulary::TokenId;

/// A branch that takes part in a pass.
#[derive(Clone, Copy)]
struct Member {
    lane: usize,
    branch: usize,
}

/// What is computed next, and what becomes of it.
impl Worker<'_> {
    /// Lanes that wait for logits after their prompts, and how many tokens each branch has to compute for them.
    pub(super) fn answers(&self) -> Vec<(usize, usize)> {
        let lanes = self.lanes.iter().enumerate();
        let waiting = lanes.filter_map(|(index, lane)| {
            let session = lane.session.as_ref()?;
            let ready = session.is_waited_for() && self.prompt_of(lane).is_none();
            let tokens = session.pending(0).max(session.pending(1));
            (ready && tokens > 0).then_some((index, tokens))
        });
        waiting.collect()
    }

    /// Lanes of sessions whose prompts are not computed yet, and the tokens of each branch that are left.
    pub(super) fn prompts(&self) -> impl Iterator<Item = (usize, [usize; 2])> {
        let held = self.lanes.iter().enumerate().filter(|(_, lane)| lane.holder.is_some());
        held.filter_map(|(index, lane)| self.prompt_of(lane).map(|left| (index, left)))
    }

    /// The tokens of each branch's prompt that are not computed yet, where there are any.
    pub(super) fn prompt_of(&self, lane: &Lane) -> Option<[usize; 2]> {
        let session = lane.session.as_ref().filter(|session| session.failed.is_none())?;
        let ids = lane.sequences();
        let left = [0, 1].map(|branch: usize| session.prompt_left(branch, self.sequences.length(ids[branch])));
        left.iter().any(|left| *left > 0).then_some(left)
    }

    /// The next piece of a prompt. Where both branches of a session have something left and there are no `others` who wait, they go
    /// together.
    fn piece_of(&self, lane: usize, left: [usize; 2], others: bool) -> (Vec<Member>, usize) {
        let least = self.shape.least.prompt;
        let members: Vec<Member> = (0..2)
            .filter(|branch| left[*branch] > 0)
            .map(|branch| Member { lane, branch })
            // Others wait for less at a time.
            .take(if others { 1 } else { 2 })
            .collect();
        let shorter = members.iter().map(|member| left[member.branch]).min().unwrap_or(0);
        let most = (self.shape.batch / members.len().max(1)).max(least);
        (members, self.pieces.next(shorter, &(least..=most), others).max(least))
    }

    /// One pass: for answers, or for a piece of a prompt; by turns where both wait.
    pub(super) fn compute(&mut self) {
        let answers = self.answers();
        let prompts: Vec<(usize, [usize; 2])> = self.prompts().collect();
        let turn = self.turn[1];
        let prompt = prompts.iter().find(|(lane, _)| *lane >= turn).or(prompts.first());
        // Between two pieces of prompts, everybody who comes in time gets logits once.
        let are_owed = answers.iter().any(|(lane, _)| self.owed.contains(lane));
        match prompt.copied() {
            Some((lane, left)) if !are_owed => {
                self.turn[1] = lane + 1;
                self.compute_piece(lane, left, self.sessions().count() > 1);
                self.owed = (0..self.lanes.len()).collect();
            }
            _ => {
                let Some(group) = together(&answers, self.turn[0], !prompts.is_empty(), &self.shape) else {
                    return;
                };
                self.turn[0] = group
                    .lanes
                    .iter()
                    .find(|lane| **lane >= self.turn[0])
                    .map_or(0, |lane| lane + 1);
                self.owed.retain(|lane| !group.lanes.contains(lane));
                let members = group
                    .lanes
                    .iter()
                    .flat_map(|lane| [0, 1].map(|branch| Member { lane: *lane, branch }));
                self.pass(Kind::Answer, &members.collect::<Vec<_>>(), group.tokens);
            }
        }
    }

    /// Computes the next piece of a prompt.
    pub(super) fn compute_piece(&mut self, lane: usize, left: [usize; 2], others: bool) {
        let (members, tokens) = self.piece_of(lane, left, others);
        let started = Instant::now();
        self.pass(Kind::Prompt, &members, tokens);
        self.pieces.learn(members.len() * tokens, started.elapsed());
    }

    /// Computes so many tokens of each member. Where that fails for all together, each session is tried alone, so that only those
    /// fail that cannot go on.
    fn pass(&mut self, kind: Kind, members: &[Member], tokens: usize) {
        let Err(reason) = self.forward(kind, members, tokens) else {
            return;
        };
        let alone = members
            .iter()
            .all(|member| members.first().is_some_and(|first| first.lane == member.lane));
        for group in members.chunk_by(|left, right| left.lane == right.lane) {
            let outcome = if alone {
                Err(reason.clone())
            } else {
                self.forward(kind, group, tokens)
            };
            let lane = group.first().and_then(|member| self.lanes.get_mut(member.lane));
            if let (Err(reason), Some(session)) = (outcome, lane.and_then(|lane| lane.session.as_mut())) {
                session.fail(reason);
            }
        }
    }

    fn forward(&mut self, kind: Kind, members: &[Member], tokens: usize) -> Result<(), String> {
        let started = Instant::now();
        let (mut pass, mut real) = (Pass { kind, runs: Vec::new() }, Vec::new());
        for member in members {
            let Some((run, count)) = self.run_of(*member, tokens) else {
                continue;
            };
            pass.runs.push(run);
            real.push((*member, count));
        }
        let computed = self.backend.forward(&pass);
        let mut failure = computed.as_ref().err().cloned();
        let mut rows = computed.unwrap_or_default().into_iter();
        let failed = failure.is_some();
        let took = started.elapsed();
        for (run, (member, count)) in pass.runs.iter().zip(real) {
            let count = if failed { 0 } else { count };
            // What was filled up, or what a failed pass may have left, is forgotten.
            if failed || count < run.tokens.len() {
                let truncated = self.backend.truncate(run.sequence, run.start + count);
                failure = failure.or(truncated.err());
            }
            let own = run.tokens.get(..count).unwrap_or_default();
            self.sequences.append(run.sequence, own, kind);
            let Some(session) = self.lanes.get_mut(member.lane).and_then(|lane| lane.session.as_mut()) else {
                continue;
            };
            // Both branches of a pair take part in the same pass.
            if member.branch == 0 || pass.runs.len() == 1 {
                session.compute += took;
            }
            if let Some(branch) = session.branches.get_mut(member.branch) {
                let computed = count.min(branch.pending.len());
                branch.pending.drain(..computed);
            }
            if let Some(wanted) = &mut session.wanted
                && let Some(computed) = wanted.computed.get_mut(member.branch)
            {
                computed.extend(rows.by_ref().take(run.rows.len()));
            }
        }
        if let Some(reason) = failure {
            return Err(reason);
        }
        for lane in &mut self.lanes {
            if let Some(session) = &mut lane.session {
                session.deliver();
            }
        }
        Ok(())
    }

    /// The next `tokens` of a branch, and how many of them are its own; the rest only fills up.
    fn run_of(&self, member: Member, tokens: usize) -> Option<(Run, usize)> {
        let lane = self.lanes.get(member.lane)?;
        let session = lane.session.as_ref()?;
        let sequence = *lane.sequences().get(member.branch)?;
        let pending: &[TokenId] = &session.branches.get(member.branch)?.pending;
        let start = self.sequences.length(sequence);
        // A piece of a prompt stops before its last token, whose logits are wanted.
        let most = match session.prompt_left(member.branch, start) {
            0 => pending.len(),
            left => left,
        };
        // Not longer than it will be: a vector that grows leaves its old memory as it is.
        let mut run = Zeroizing::new(Vec::with_capacity(tokens));
        run.extend(pending.iter().take(tokens.min(most)));
        let count = run.len();
        let first_row = pending
            .len()
            .saturating_sub(session.wanted.as_ref().map_or(0, |wanted| wanted.rows));
        let last = *run.last()?;
        run.resize(tokens, last);
        let run = Run {
            sequence,
            start,
            tokens: run,
            rows: first_row.min(count)..count,
        };
        Some((run, count))
    }
}

mod computing;
mod leftover;

use std::sync::mpsc::{Receiver, RecvError, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::backend::{Backend, Shape};
use super::command::{Command, Holder, Prompts};
use super::lane::{Branch, Lane, Session, Wanted};
use super::pieces::Pieces;
use super::sequences::Sequences;
use crate::local::Owner;
use crate::vocabulary::TokenId;

/// Sessions that have just got logits come back within this time, mostly. Waiting for them lets all compute together.
const GATHERING: Duration = Duration::from_millis(2);

/// After so long without anything to do there is time for what may be of use later. Programs that ask one question after
/// another come back sooner, and are not held up.
const PAUSE: Duration = Duration::from_millis(100);

/// After so long without anything to do there is time to wipe what was forgotten.
const IDLE: Duration = Duration::from_millis(500);

/// What the thread does that owns an engine.
pub struct Worker<'a> {
    backend: &'a mut dyn Backend,
    shape: Shape,
    sequences: Sequences,
    lanes: Vec<Lane>,
    pieces: Pieces,
    /// The lane whose answer and the lane whose prompt is computed next.
    turn: [usize; 2],
    /// Lanes that have got no logits since the last piece of a prompt.
    owed: Vec<usize>,
}

impl<'a> Worker<'a> {
    /// Of a backend with two sequences a slot at least, and one that stays empty. `cache` bytes of what was computed may be
    /// remembered for later sessions.
    pub fn new(backend: &'a mut dyn Backend, cache: usize) -> Self {
        let shape = backend.shape();
        let sequences = Sequences::new(&shape, cache);
        Self {
            lanes: (0..sequences.pairs()).map(Lane::new).collect(),
            sequences,
            shape,
            backend,
            pieces: Pieces::default(),
            turn: [0, 0],
            owed: Vec::new(),
        }
    }

    /// Computes what is asked for until nobody can ask any longer.
    pub fn run(mut self, commands: &Receiver<Command>) {
        loop {
            if !self.has_work() {
                match self.wait(commands) {
                    Ok(command) => self.obey(command),
                    Err(_) => return,
                }
            }
            if self.listen(commands).is_err() {
                return;
            }
            self.compute();
        }
    }

    /// The next command. Where none comes for a while, answers are made ready for the next turn, and the traces of what was forgotten
    /// are wiped.
    fn wait(&mut self, commands: &Receiver<Command>) -> Result<Command, RecvError> {
        let mut patience = PAUSE;
        while let Some(lane) = self.leftover() {
            match commands.recv_timeout(patience) {
                Ok(command) => return Ok(command),
                Err(RecvTimeoutError::Disconnected) => return Err(RecvError),
                Err(RecvTimeoutError::Timeout) => self.make_ready(lane),
            }
            patience = Duration::ZERO;
        }
        if self.sequences.are_dirty() {
            match commands.recv_timeout(IDLE) {
                Ok(command) => return Ok(command),
                Err(RecvTimeoutError::Disconnected) => return Err(RecvError),
                Err(RecvTimeoutError::Timeout) => log(self.sequences.wipe(self.backend)),
            }
        }
        commands.recv()
    }

    /// Takes all commands that have come, and waits a moment for those of sessions that are about to go on.
    fn listen(&mut self, commands: &Receiver<Command>) -> Result<(), TryRecvError> {
        let until = Instant::now() + GATHERING;
        loop {
            match commands.try_recv() {
                Ok(command) => self.obey(command),
                Err(TryRecvError::Disconnected) => return Err(TryRecvError::Disconnected),
                Err(TryRecvError::Empty) if self.sessions().any(|session| session.returning) => {
                    match commands.recv_timeout(until.saturating_duration_since(Instant::now())) {
                        Ok(command) => self.obey(command),
                        Err(RecvTimeoutError::Disconnected) => return Err(TryRecvError::Disconnected),
                        // They wait for their upstream, or were given up.
                        Err(RecvTimeoutError::Timeout) => {
                            for lane in &mut self.lanes {
                                if let Some(session) = &mut lane.session {
                                    session.returning = false;
                                }
                            }
                        }
                    }
                }
                Err(TryRecvError::Empty) => return Ok(()),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Open { holder, owner, prompts } => self.open(holder, owner, prompts),
            Command::Extend {
                holder,
                tokens,
                rows,
                reply,
            } => self.extend(
                holder,
                &tokens,
                Wanted {
                    rows,
                    computed: [Vec::new(), Vec::new()],
                    reply,
                },
            ),
            Command::Truncate { holder, answer } => self.truncate(holder, answer),
            Command::Close { holder } => {
                if let Some(lane) = self.lane_of(holder) {
                    lane.session = None;
                }
            }
            Command::Release { holder } => self.release(holder),
        }
    }

    fn open(&mut self, holder: Holder, owner: Owner, prompts: Prompts) {
        let Prompts { public, private } = prompts;
        let prompts = [public, private];
        let own = self.lanes.iter().position(|lane| lane.holder == Some(holder));
        // There are as many lanes as slots at least, so one is free.
        let Some(index) = own.or_else(|| self.sequences.choose(owner, &prompts)) else {
            tracing::error!("a session was opened on a slot that does not exist");
            return;
        };
        let begun = self.sequences.begin(self.backend, index, owner, &prompts);
        let (kept, failed) = match begun {
            Ok(kept) => (kept, None),
            Err(reason) => ([0; 2], Some(reason)),
        };
        let Some(lane) = self.lanes.get_mut(index) else { return };
        lane.holder = Some(holder);
        let branches = [0, 1].map(|branch: usize| Branch {
            prompt: prompts[branch].len(),
            pending: Zeroizing::new(prompts[branch].iter().skip(kept[branch]).copied().collect()),
        });
        lane.session = Some(Session {
            branches,
            wanted: None,
            compute: Duration::ZERO,
            returning: false,
            failed,
        });
    }

    fn extend(&mut self, holder: Holder, tokens: &[TokenId], wanted: Wanted) {
        let length = self.shape.length;
        let Some(lane) = self.lane_of(holder) else { return };
        let Some(session) = &mut lane.session else { return };
        session.returning = false;
        session.wanted = Some(wanted);
        if let Some(reason) = &session.failed {
            let reason = reason.clone();
            session.fail(reason);
            return;
        }
        for branch in &mut session.branches {
            branch.pending.extend(tokens);
        }
        let [public, private] = lane.sequences().map(|id| self.sequences.length(id));
        let lane = self.lane_of(holder);
        let Some(session) = lane.and_then(|lane| lane.session.as_mut()) else {
            return;
        };
        if (public + session.pending(0)).max(private + session.pending(1)) > length {
            session.fail(format!("it holds {length} tokens, and the answer has come to more"));
        }
    }

    fn truncate(&mut self, holder: Holder, answer: usize) {
        let Some(index) = self.lanes.iter().position(|lane| lane.holder == Some(holder)) else {
            return;
        };
        let Some(lane) = self.lanes.get_mut(index) else { return };
        let ids = lane.sequences();
        let Some(session) = &mut lane.session else { return };
        session.wanted = None;
        for (branch, id) in session.branches.iter_mut().zip(ids) {
            let (length, held) = (branch.prompt + answer, self.sequences.length(id));
            branch.pending.truncate(length.saturating_sub(held));
            if let Err(reason) = self.sequences.truncate(self.backend, id, length) {
                session.failed = Some(reason);
            }
        }
    }

    fn release(&mut self, holder: Holder) {
        let Some(index) = self.lanes.iter().position(|lane| lane.holder == Some(holder)) else {
            return;
        };
        let Some(lane) = self.lanes.get_mut(index) else { return };
        lane.holder = None;
        lane.session = None;
        let ids = lane.sequences();
        let answers = ids.map(|id| Zeroizing::new(self.sequences.answer(id).to_vec()));
        let ended = self.sequences.end(self.backend, index);
        log(ended);
        self.leave(index, answers);
    }

    fn lane_of(&mut self, holder: Holder) -> Option<&mut Lane> {
        self.lanes.iter_mut().find(|lane| lane.holder == Some(holder))
    }

    fn sessions(&self) -> impl Iterator<Item = &Session> {
        let held = self.lanes.iter().filter(|lane| lane.holder.is_some());
        held.filter_map(|lane| lane.session.as_ref())
    }

    fn has_work(&self) -> bool {
        !self.answers().is_empty() || self.prompts().next().is_some()
    }
}

/// For what no session waits for.
fn log(result: Result<(), String>) {
    if let Err(reason) = result {
        tracing::warn!(reason, "the local model could not forget what it remembered");
    }
}

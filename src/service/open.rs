use std::sync::Arc;

use super::{Asked, Composed, Options, PublicRequest, Service, ServiceError, apart};
use crate::context::{PrivateContext, PrivateIds, PublicPrompt, Sources};
use crate::decode::{Plan, Session, SessionLimits};
use crate::local::Slot;
use crate::steering::{Rule, Strength};
use crate::structure::{Grammar, Structure};
use crate::upstream::{Caller, Prefix};
use crate::vocabulary::TokenId;

/// An answer that can be begun as soon as there is a slot for it.
pub struct Ready {
    public: Vec<TokenId>,
    private: PrivateIds,
    plan: Plan,
}

impl Service {
    /// Opens a steered session for the first answer to the first prompt of `request`.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub async fn open_session(
        &self,
        request: &PublicRequest,
        context: &PrivateContext,
    ) -> Result<Session, ServiceError> {
        let caller = Caller {
            model: request.options.model.clone(),
            ..Caller::default()
        };
        let prompt = request.prompts.first().cloned();
        let prompt = prompt.ok_or_else(|| ServiceError::invalid("prompt", "there is none".to_owned()))?;
        let asked = Arc::new(Asked {
            prompt,
            sources: Sources::from(context.clone()),
        });
        let grammar = self.grammar(request.options.structure.as_ref()).await?;
        let ready = self.prepare(asked, &request.options, grammar, None, caller).await?;
        let slot = self.slot(&ready.plan.caller).await?;
        self.open(ready, slot).await
    }

    /// Opens a steered session.
    ///
    /// # Errors
    /// Whatever opening the session says.
    pub async fn open(&self, ready: Ready, slot: Arc<dyn Slot>) -> Result<Session, ServiceError> {
        let session = Session::open(
            Arc::clone(&self.upstream),
            slot,
            self.prompts.alignment(),
            &ready.public,
            ready.private.ids(),
            ready.plan,
        );
        Ok(session.await?)
    }

    /// The grammar of what an answer must look like, where it must.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] names the field and what is wrong with it.
    pub async fn grammar(&self, structure: Option<&Structure>) -> Result<Option<Arc<Grammar>>, ServiceError> {
        match structure {
            Some(structure) => self.structures.compile(structure).await.map(Some),
            None => Ok(None),
        }
    }

    /// Composes the prompts for one answer, which is written in `grammar`, and asks the upstream what it holds.
    ///
    /// # Errors
    /// [`ServiceError::TooLong`] when the prompt does not fit a model's window, naming both numbers.
    pub async fn prepare(
        &self,
        asked: Arc<Asked>,
        options: &Options,
        grammar: Option<Arc<Grammar>>,
        strength: Option<Strength>,
        mut caller: Caller,
    ) -> Result<Ready, ServiceError> {
        let written = self.written(&asked.prompt, &mut caller).await?;
        let calls = match &asked.prompt {
            // It is no call in the model's own way of writing calls.
            PublicPrompt::Chat(chat) if options.structure.is_none() => {
                self.prompts.toolset().calls(&chat.tools, options.parallel_calls)
            }
            _ => None,
        };
        if asked
            .prompt
            .begun()
            .is_some_and(|begun| self.prompts.thoughts().is_thought(begun))
        {
            let message = "its last message ends within a thought, which cannot be gone on with; close the thought, or leave the message out";
            return Err(ServiceError::invalid("messages", message.to_owned()));
        }
        let (prompts, max_tokens) = (Arc::clone(&self.prompts), options.max_tokens);
        let opens_answer = asked.prompt.opens_answer();
        let (Composed { public, private, .. }, prompt) = apart(move || {
            let Asked { prompt, sources } = &*asked;
            let composed = prompts.compose(prompt, sources, max_tokens)?;
            let upstream_prompt = written.map_or_else(|| prompts.upstream(prompt), Ok)?;
            let prefix = match prompt.begun() {
                Some(begun) => Prefix::begun(&prompt.chat(), begun, upstream_prompt),
                None => Prefix::new(prompt.chat(), upstream_prompt),
            };
            Ok::<_, ServiceError>((composed, prefix))
        })
        .await?;
        self.prompts.known("prompt", prompt.ids.iter().map(|id| id.index()))?;
        self.prompts
            .known("logit_bias", options.penalties.bias.keys().copied())?;
        let local_room = self.prompts.room(public.len(), private.ids().len())?;
        let upstream_room = self.upstream_room(&caller, prompt.ids.len()).await?;
        let wanted = options.max_tokens.unwrap_or(self.limits.max_tokens);
        let plan = Plan {
            caller,
            prompt,
            rule: Rule {
                strength: strength.unwrap_or(self.steering.rule.strength),
                ..self.steering.rule
            },
            sampling: options.sampling,
            penalties: options.penalties.clone(),
            list: options.logprobs,
            traced: options.traced,
            exactness: self.steering.exactness,
            forced_stop: self.steering.forced_stop,
            bypass: self.steering.bypass,
            thinking: self.prompts.thoughts().upstream(opens_answer),
            reasoning: self.steering.reasoning,
            grammar,
            forced_call: options.structure.as_ref().and_then(|structure| structure.call.clone()),
            calls,
            tools: self.steering.tools,
            limits: SessionLimits {
                max_tokens: wanted.min(upstream_room),
                ..self.limits
            },
            local_room,
        };
        Ok(Ready { public, private, plan })
    }

    /// Tokens left for the answer in the upstream's window, as far as it says how long that is; at least one.
    async fn upstream_room(&self, caller: &Caller, prompt: usize) -> Result<usize, ServiceError> {
        let description = self.replicas.describe(caller).await?;
        let model = description.model(caller.model.as_deref());
        match model.and_then(|model| model.context_length) {
            Some(window) if prompt >= window => Err(ServiceError::TooLong {
                field: "messages",
                message: format!(
                    "the messages are {prompt} tokens long, and the upstream's model holds {window} with the answer"
                ),
            }),
            Some(window) => Ok(window - prompt),
            None => Ok(usize::MAX),
        }
    }
}

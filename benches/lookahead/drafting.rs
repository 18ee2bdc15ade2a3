//! Above temperature 0: how often a draft survives when the upstream drafts greedily, as it does, and how often it would
//! if it drew its drafts and they were accepted or resampled (speculative sampling). Computed from both models' whole
//! distributions at every position of the drawn answers.

use costeer::context::{Chat, Composer, Placement, PrivateContext, PublicPrompt, Template};
use costeer::local::{Branch, Engine, ModelSource};
use costeer::steering::{Adjustments, Candidate, Candidates, Delta, Policy, Rule, Sampling, Scorer, Strength};
use costeer::vocabulary::{ChatMessage, Role, TokenId, Tokenizer};

use crate::stage::{Item, items, options};

pub async fn measure(prompts: usize) {
    println!("\n## Drafts above temperature 0, {prompts} prompts: chance that a draft survives\n");
    println!("| temperature | greedy drafts | drawn drafts, accepted or resampled |");
    println!("|---|---|---|");
    let models = Models::load().await;
    for temperature in [0.3, 0.8, 1.0] {
        let (mut greedy, mut drawn, mut positions) = (0.0, 0.0, 0.0);
        for item in &items(prompts) {
            for (first, second) in models.chances(item, temperature).await {
                greedy += first;
                drawn += second;
                positions += 1.0;
            }
        }
        println!(
            "| {temperature} | {:.3} | {:.3} |",
            greedy / positions,
            drawn / positions
        );
    }
}

struct Models {
    tokenizer: Tokenizer,
    llm: Engine,
    public: Engine,
    private: Engine,
}

impl Models {
    async fn load() -> Self {
        let slm = ModelSource::locate("local.model", "models/tiny/slm").await.unwrap();
        let llm = ModelSource::locate("--model", "models/tiny/llm").await.unwrap();
        let tokenizer = Tokenizer::load(slm.folder()).unwrap();
        let (options, end) = (options(), tokenizer.end());
        Self {
            llm: Engine::load(&llm, &options, end).await.unwrap(),
            public: Engine::load(&slm, &options, end).await.unwrap(),
            private: Engine::load(&slm, &options, end).await.unwrap(),
            tokenizer,
        }
    }

    /// For each position of the drawn answer: the chance of a greedy draft, and of a drawn one.
    async fn chances(&self, item: &Item, temperature: f64) -> Vec<(f64, f64)> {
        let composer = Composer {
            template: Template::compile(None).unwrap(),
            budget: usize::MAX,
            document_tokens: usize::MAX,
            placement: Placement::System,
            default_system: "You are a helpful assistant.".into(),
        };
        let messages = [ChatMessage::new(Role::User, item.question.clone())];
        let context = PrivateContext::new(item.context.clone());
        let prompt = PublicPrompt::Chat(Chat::new(messages));
        let public_prompt = composer.public(&self.tokenizer, &prompt).unwrap();
        let private_prompt = composer.private(&self.tokenizer, &prompt, &context).unwrap();
        let upstream_prompt = prompt.ids(&self.tokenizer).unwrap();
        let mut llm = self.llm.open(&upstream_prompt).await.unwrap();
        let mut public = self.public.open(&public_prompt).await.unwrap();
        let mut private = self.private.open(private_prompt.ids()).await.unwrap();
        let mut chances = Vec::new();
        for position in 0..128 {
            let logits = llm.logits().await.unwrap().logits;
            let (plus, minus) = (private.logits().await.unwrap(), public.logits().await.unwrap());
            let delta = Delta::new(&plus.logits, &minus.logits, 1e-4).unwrap();
            let steered = self.policy(&logits, &delta);
            let plain = self.policy(&logits, &Delta::none());
            let (steered_chances, plain_chances) = (tempered(&steered, temperature), tempered(&plain, temperature));
            let draft = plain.best().unwrap().candidate.index;
            let overlap = steered_chances.iter().zip(&plain_chances);
            chances.push((
                steered_chances[draft],
                overlap.map(|(steered, plain)| steered.min(*plain)).sum(),
            ));
            let sampling = Sampling {
                temperature,
                seed: 7,
                ..Sampling::default()
            };
            let picked = sampling.pick(&steered, position).unwrap().candidate.index;
            let token = TokenId(u32::try_from(picked).unwrap());
            if self.tokenizer.ends().contains(&token) {
                break;
            }
            for branch in [&mut llm, &mut public, &mut private] {
                Branch::feed(branch, &[token]);
            }
        }
        chances
    }

    fn policy(&self, logits: &[f32], delta: &Delta<'_>) -> Policy {
        let rule = Rule {
            strength: Strength::new(1.0).unwrap(),
            delta_floor: 1e-4,
            plausibility: 0.0,
            cap: None,
        };
        let all = logits.iter().enumerate().map(|(index, logit)| Candidate {
            index,
            logprob: f64::from(*logit),
        });
        let scorer = Scorer {
            candidates: &Candidates::new(all.collect()),
            delta,
            rule: &rule,
            adjustments: &Adjustments::default(),
            selectable: self.tokenizer.selectable(),
        };
        scorer.policy()
    }
}

/// The chance of every token, shape `[vocabulary]`.
fn tempered(policy: &Policy, temperature: f64) -> Vec<f64> {
    let best = policy.best().unwrap().score;
    let last = policy
        .scored()
        .iter()
        .map(|scored| scored.candidate.index)
        .max()
        .unwrap();
    let mut chances = vec![0.0; last + 1];
    for scored in policy.scored() {
        chances[scored.candidate.index] = ((scored.score - best) / temperature).exp();
    }
    let total: f64 = chances.iter().sum();
    chances.iter().map(|chance| chance / total).collect()
}

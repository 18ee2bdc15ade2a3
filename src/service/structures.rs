use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{ServiceError, apart};
use crate::structure::{Compiler, Grammar, Structure, StructureError};
use crate::vocabulary::Tokenizer;

/// How long somebody waits for a grammar.
const PATIENCE: Duration = Duration::from_secs(10);

/// Grammars that are compiled at the same time. What takes too long goes on for a while after nobody waits for it any more.
const AT_ONCE: usize = 2;

/// Makes grammars of what requests want their answers to look like.
pub struct Structures {
    compiler: Arc<Compiler>,
    places: Arc<Semaphore>,
}

impl Structures {
    /// For answers in the tokens of `tokenizer`.
    pub fn new(tokenizer: Arc<Tokenizer>) -> Self {
        Self {
            compiler: Arc::new(Compiler::new(tokenizer)),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// The grammar of `structure`.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] names the field and what is wrong with it.
    pub async fn compile(&self, structure: &Structure) -> Result<Arc<Grammar>, ServiceError> {
        let field = structure.field.clone();
        let invalid = move |error: StructureError| ServiceError::invalid(&field, error.to_string());
        let (compiler, places, shape) = (
            Arc::clone(&self.compiler),
            Arc::clone(&self.places),
            structure.shape.clone(),
        );
        let compiling = async {
            // It is never closed.
            let place = places.acquire_owned().await.ok();
            apart(move || {
                let _place = place;
                Ok::<_, ServiceError>(compiler.compile(&shape))
            })
            .await
        };
        match tokio::time::timeout(PATIENCE, compiling).await {
            Ok(compiled) => compiled?.map(Arc::new).map_err(invalid),
            Err(_) => Err(invalid(StructureError::TooSlow)),
        }
    }
}

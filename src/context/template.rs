use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior, context};
use zeroize::Zeroizing;

use super::{ContextError, PrivateContext};
use crate::store::{Document, PrivateText};

/// The template that applies where none is configured.
const USUAL: &str = include_str!("../../config/context.jinja");
const NAME: &str = "context";

/// How the private text is composed of its parts, in minijinja's syntax.
#[derive(Clone)]
pub struct Template(Environment<'static>);

/// What a template may speak of; `config/default.toml` says what each is.
#[derive(Clone, Copy, Default)]
pub struct Parts<'a> {
    /// Of the profile.
    pub description: &'a str,
    /// Of the profile.
    pub preferences: &'a [PrivateText],
    /// Of the profile, as many as fit.
    pub facts: &'a [PrivateText],
    /// What the request brings.
    pub given: &'a [PrivateContext],
    /// Documents, as many as fit.
    pub history: &'a [Document],
    /// The question.
    pub query: &'a str,
}

impl Template {
    /// Compiles `source`, or the usual template.
    ///
    /// # Errors
    /// What is wrong with it, with the line.
    pub fn compile(source: Option<&str>) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment
            .add_template_owned(NAME, source.unwrap_or(USUAL).to_owned())
            .map_err(|error| format!("it is no template: {error}"))?;
        let template = Self(environment);
        // A name that does not exist should not wait for somebody's question.
        let document = Document::default();
        let tried = Parts {
            history: std::slice::from_ref(&document),
            ..Parts::default()
        };
        template.render(&tried).map_err(|error| error.to_string())?;
        Ok(template)
    }

    /// The private text.
    ///
    /// # Errors
    /// [`ContextError::Template`], which quotes none of it.
    pub fn render(&self, parts: &Parts<'_>) -> Result<PrivateContext, ContextError> {
        let preferences = texts(parts.preferences);
        let facts = texts(parts.facts);
        let given: Vec<&str> = parts.given.iter().map(PrivateContext::expose).collect();
        let lines = [parts.description]
            .into_iter()
            .chain(preferences.iter().copied())
            .chain(facts.iter().copied())
            .chain(given.iter().copied());
        let lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
        let joined = Zeroizing::new(lines.join("\n"));
        let history: Vec<Value> = parts.history.iter().map(document).collect();
        let rendered = self.0.get_template(NAME).and_then(|template| {
            template.render(context! {
                context => joined.as_str(),
                description => parts.description,
                preferences,
                facts,
                given,
                history,
                query => parts.query,
            })
        });
        // The default display of an error can quote what it was rendering; its kind and line cannot.
        rendered
            .map(PrivateContext::new)
            .map_err(|error| ContextError::Template {
                what: error.kind().to_string(),
                line: error.line().unwrap_or_default(),
            })
    }
}

fn texts(texts: &[PrivateText]) -> Vec<&str> {
    texts.iter().map(PrivateText::as_private_str).collect()
}

fn document(document: &Document) -> Value {
    let tags: Vec<&str> = document.tags.iter().map(PrivateText::as_private_str).collect();
    context! {
        title => document.title.as_private_str(),
        text => document.text.as_private_str(),
        time => document.time.map(|time| time.to_string()),
        source => document.source.as_private_str(),
        tags,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(template: &Template, parts: &Parts<'_>) -> String {
        template.render(parts).ok().unwrap().expose().to_owned()
    }

    #[test]
    fn a_context_alone_is_taken_as_it_is() {
        let usual = Template::compile(None).unwrap();
        let given = [PrivateContext::new("  I am {{ Ada }}.\n<b>".into())];
        let parts = Parts {
            given: &given,
            ..Parts::default()
        };
        assert_eq!(text(&usual, &parts), "  I am {{ Ada }}.\n<b>");
    }

    #[test]
    fn everything_has_its_place() {
        let usual = Template::compile(None).unwrap();
        let facts: [PrivateText; 2] = ["I am vegan.".into(), "My dog is Ziggy.".into()];
        let given = [PrivateContext::new("Today I am ill.".into())];
        let history = [
            Document {
                title: "Soup".into(),
                text: "I made soup.".into(),
                ..Document::default()
            },
            Document {
                text: "And bread.".into(),
                ..Document::default()
            },
        ];
        let parts = Parts {
            description: "Ada",
            preferences: &["Be brief.".into()],
            facts: &facts,
            given: &given,
            history: &history,
            query: "What now?",
        };
        assert_eq!(
            text(&usual, &parts),
            "Ada\nBe brief.\nI am vegan.\nMy dog is Ziggy.\nToday I am ill.\n\nWhat I have written before:\n\n\
             Soup: I made soup.\n\nAnd bread."
        );
        let own = Template::compile(Some("{{ query }} {{ facts | join('|') }} {{ history[0].title }}")).unwrap();
        assert_eq!(text(&own, &parts), "What now? I am vegan.|My dog is Ziggy. Soup");
    }

    #[test]
    fn mistakes_are_found_at_once() {
        for (source, part) in [
            ("{% if %}", "no template"),
            ("{{ contxt }}", "undefined"),
            ("\n{{ nothing.at_all }}", "line 2"),
        ] {
            let error = Template::compile(Some(source)).err().unwrap();
            assert!(error.contains(part), "{error}");
        }
    }
}

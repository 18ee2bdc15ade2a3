//! Keys that had another name once. The old names still count, with a warning.

use std::collections::BTreeSet;
use std::fmt;

use config::{ConfigError, Map, Source, Value, ValueKind};

use super::SettingsError;
use super::unknown::keys;

/// A key's former name and today's, as `section.key`; its text is a sentence that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Renamed {
    old: &'static str,
    new: &'static str,
}

const RENAMED: [Renamed; 4] = [
    Renamed {
        old: "local.lanes",
        new: "local.slots",
    },
    Renamed {
        old: "steering.gate",
        new: "steering.bypass",
    },
    Renamed {
        old: "steering.gate_threshold",
        new: "steering.bypass_threshold",
    },
    Renamed {
        old: "steering.gate_positions",
        new: "steering.bypass_positions",
    },
];

impl fmt::Display for Renamed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { old, new } = self;
        write!(formatter, "{old} is called {new} now; the old name still counts")
    }
}

/// Which of these keys the layers of a configuration give, and under which name.
#[derive(Default)]
pub struct Names {
    old: BTreeSet<Renamed>,
    new: BTreeSet<Renamed>,
}

impl Names {
    /// `layer` with today's names.
    pub fn translate(&mut self, layer: &dyn Source) -> Result<Layer, SettingsError> {
        let given = keys(layer)?;
        let mut values = layer.collect()?;
        for entry in RENAMED {
            if given.iter().any(|key| key == entry.new) {
                self.new.insert(entry);
            }
            if rename(&mut values, entry) {
                self.old.insert(entry);
            }
        }
        Ok(Layer(values))
    }

    /// Those that came under their old name alone.
    ///
    /// # Errors
    /// [`SettingsError::Value`] where a key is given under both names: neither of them clearly wins.
    pub fn renamed(self) -> Result<Vec<Renamed>, SettingsError> {
        match self.old.intersection(&self.new).next() {
            Some(Renamed { old, new }) => Err(SettingsError::Value {
                key: new,
                reason: format!("it and {old}, its former name, are both set; set {new} alone"),
            }),
            None => Ok(self.old.into_iter().collect()),
        }
    }
}

/// Gives the value at the old name the new one; false where there is none.
fn rename(values: &mut Map<String, Value>, Renamed { old, new }: Renamed) -> bool {
    // Variables come with whole keys, files with a table for each section.
    if let Some(value) = values.remove(old) {
        values.insert(new.to_owned(), value);
        return true;
    }
    let (Some((section, old)), Some((_, new))) = (old.split_once('.'), new.split_once('.')) else {
        return false;
    };
    let Some(ValueKind::Table(table)) = values.get_mut(section).map(|value| &mut value.kind) else {
        return false;
    };
    let value = table.remove(old);
    let found = value.is_some();
    table.extend(value.map(|value| (new.to_owned(), value)));
    found
}

/// The values of a file or of the environment, under today's names.
#[derive(Clone, Debug)]
pub struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use config::{Environment, File, FileFormat};

    use super::*;

    fn file(text: &str) -> File<config::FileSourceString, FileFormat> {
        File::from_str(text, FileFormat::Toml)
    }

    /// As the process would have them.
    fn variables(pairs: &[(&str, &str)]) -> Environment {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Environment::with_prefix("COSTEER")
            .prefix_separator("__")
            .separator("__")
            .source(Some(pairs.collect()))
    }

    fn old_names(names: Names) -> Vec<&'static str> {
        names.renamed().unwrap().iter().map(|entry| entry.old).collect()
    }

    #[test]
    fn a_key_stays_in_its_section_and_its_new_name_exists() {
        let known = keys(&file(super::super::DEFAULTS)).unwrap();
        for Renamed { old, new } in RENAMED {
            assert_eq!(old.split('.').next(), new.split('.').next());
            assert!(
                known.iter().any(|key| key == new) && known.iter().all(|key| key != old),
                "{new}"
            );
        }
    }

    #[test]
    fn old_names_of_a_file_and_of_variables_count() {
        for Renamed { old, new } in RENAMED {
            let (section, key) = old.split_once('.').unwrap();
            let variable = format!("COSTEER__{}__{}", section.to_uppercase(), key.to_uppercase());
            let layers: [&dyn Source; 2] = [
                &file(&format!("[{section}]\n{key} = 7\n")),
                &variables(&[(&variable, "7")]),
            ];
            for layer in layers {
                let mut names = Names::default();
                let layer = names.translate(layer).unwrap();
                let merged = config::Config::builder().add_source(layer).build().unwrap();
                assert_eq!(merged.get_int(new).unwrap(), 7);
                assert!(merged.get_int(old).is_err());
                assert_eq!(old_names(names), [old]);
            }
        }
    }

    #[test]
    fn what_has_todays_name_stays_as_it_is() {
        let mut names = Names::default();
        let layer = names
            .translate(&file("[local]\nslots = 2\n[steering]\nalpha = 1.0\n"))
            .unwrap();
        assert_eq!(keys(&layer).unwrap(), ["local.slots", "steering.alpha"]);
        assert!(old_names(names).is_empty());
    }

    #[test]
    fn both_names_are_an_error_that_names_both_wherever_they_are() {
        let together = file("[local]\nlanes = 1\nslots = 2\n");
        let mut names = Names::default();
        names.translate(&together).unwrap();
        let error = names.renamed().unwrap_err().to_string();
        assert!(
            error.starts_with("local.slots") && error.contains("local.lanes"),
            "{error}"
        );
        let mut names = Names::default();
        names.translate(&file("[steering]\ngate = \"latch\"\n")).unwrap();
        names
            .translate(&variables(&[("COSTEER__STEERING__BYPASS", "off")]))
            .unwrap();
        let error = names.renamed().unwrap_err().to_string();
        assert!(
            error.starts_with("steering.bypass") && error.contains("steering.gate"),
            "{error}"
        );
    }
}

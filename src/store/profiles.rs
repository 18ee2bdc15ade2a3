//! Profiles in the file.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;

use super::schema::{ProfileId, create_index, drop_index};
use super::trouble::Trouble;
use super::{PrivateText, Profile, ProfileName, Store, StoreError};

/// Most lines of one kind.
const MOST_LINES: usize = 10_000;
/// Longest description or line, in bytes.
const MOST_LINE_BYTES: usize = 64 << 10;

/// A profile in a list.
#[derive(Serialize)]
pub struct Summary {
    /// Its name.
    pub name: ProfileName,
    /// What it says first.
    pub description: PrivateText,
    /// Number of preferences.
    pub preferences: u64,
    /// Number of facts.
    pub facts: u64,
    /// Number of documents.
    pub documents: u64,
}

impl Store {
    /// All profiles, by name.
    ///
    /// # Errors
    /// A [`StoreError`] of the file.
    pub fn profiles(&self) -> Result<Vec<Summary>, StoreError> {
        self.database.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT name, description,
                    (SELECT count(*) FROM lines WHERE profile = id AND kind = 'preference'),
                    (SELECT count(*) FROM lines WHERE profile = id AND kind = 'fact'),
                    (SELECT count(*) FROM documents WHERE profile = profiles.id)
                 FROM profiles ORDER BY name",
            )?;
            let rows = statement.query_map([], |row| {
                let count = |index| row.get::<_, i64>(index).map(i64::cast_unsigned);
                Ok(Summary {
                    name: stored_name(row.get(0)?)?,
                    description: row.get::<_, String>(1)?.into(),
                    preferences: count(2)?,
                    facts: count(3)?,
                    documents: count(4)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })
    }

    /// What the profile says.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`].
    pub fn profile(&self, name: &ProfileName) -> Result<Profile, StoreError> {
        self.database.read(|connection| read_profile(connection, name))
    }

    /// Whether there is a profile of this name.
    ///
    /// # Errors
    /// A [`StoreError`] of the file.
    pub fn has_profile(&self, name: &ProfileName) -> Result<bool, StoreError> {
        self.database
            .read(|connection| Ok::<_, Trouble>(find(connection, name)?.is_some()))
    }

    /// Makes a profile.
    ///
    /// # Errors
    /// [`StoreError::ProfileExists`], [`StoreError::TooLarge`].
    pub fn create_profile(&self, name: &ProfileName, profile: &Profile) -> Result<(), StoreError> {
        check(profile)?;
        self.database.write(|transaction| {
            if find(transaction, name)?.is_some() {
                return Err(StoreError::ProfileExists(name.to_string()).into());
            }
            let id = insert(transaction, name)?;
            write_profile(transaction, id, profile)
        })
    }

    /// Makes an empty profile if there is none of this name. Gives whether it has.
    ///
    /// # Errors
    /// A [`StoreError`] of the file.
    pub fn ensure_profile(&self, name: &ProfileName) -> Result<bool, StoreError> {
        if self.has_profile(name)? {
            return Ok(false);
        }
        match self.create_profile(name, &Profile::default()) {
            // Somebody else was quicker.
            Err(StoreError::ProfileExists(_)) => Ok(false),
            made => made.map(|()| true),
        }
    }

    /// Replaces what the profile says, or makes the profile. Its documents stay.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`].
    pub fn put_profile(&self, name: &ProfileName, profile: &Profile) -> Result<(), StoreError> {
        check(profile)?;
        let removed = self.database.write(|transaction| {
            let id = match find(transaction, name)? {
                Some(id) => id,
                None => insert(transaction, name)?,
            };
            let before = read_lines(transaction, id)?;
            // Importing the same profile again writes nothing.
            if before != *profile {
                write_profile(transaction, id, profile)?;
            }
            Ok(before != Profile::default() && before != *profile)
        })?;
        if removed { self.database.sweep() } else { Ok(()) }
    }

    /// Changes what the profile says, in one transaction with reading what it says now.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`], [`StoreError::NoSuchLine`], [`StoreError::TooLarge`]; nothing has changed then.
    pub fn edit_profile(
        &self,
        name: &ProfileName,
        change: impl FnOnce(&mut Profile) -> Result<(), StoreError>,
    ) -> Result<Profile, StoreError> {
        let profile = self.database.write(|transaction| {
            let id = found(transaction, name)?;
            let mut profile = read_lines(transaction, id)?;
            change(&mut profile)?;
            check(&profile)?;
            write_profile(transaction, id, &profile)?;
            Ok(profile)
        })?;
        self.database.sweep()?;
        Ok(profile)
    }

    /// Deletes the profile with all its documents, so that no byte of them is left in the file.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`], [`StoreError::NotSwept`].
    pub fn delete_profile(&self, name: &ProfileName) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let id = found(transaction, name)?;
            drop_index(transaction, id)?;
            transaction.execute("DELETE FROM profiles WHERE id = ?", [id.0])?;
            Ok(())
        })?;
        self.database.sweep()
    }
}

/// The number of the profile; an error where there is none.
pub(super) fn found(connection: &Connection, name: &ProfileName) -> Result<ProfileId, Trouble> {
    Ok(find(connection, name)?.ok_or_else(|| StoreError::no_such_profile(name))?)
}

fn find(connection: &Connection, name: &ProfileName) -> rusqlite::Result<Option<ProfileId>> {
    let mut statement = connection.prepare_cached("SELECT id FROM profiles WHERE name = ?")?;
    statement
        .query_row([name.as_str()], |row| row.get(0).map(ProfileId))
        .optional()
}

fn insert(transaction: &Transaction<'_>, name: &ProfileName) -> Result<ProfileId, Trouble> {
    transaction.execute(
        "INSERT INTO profiles (name, description) VALUES (?, '')",
        [name.as_str()],
    )?;
    let id = ProfileId(transaction.last_insert_rowid());
    create_index(transaction, id)?;
    Ok(id)
}

/// What the profile says, read in the caller's transaction.
pub(super) fn read_profile(connection: &Connection, name: &ProfileName) -> Result<Profile, Trouble> {
    Ok(read_lines(connection, found(connection, name)?)?)
}

fn read_lines(connection: &Connection, id: ProfileId) -> rusqlite::Result<Profile> {
    let description: String = connection.query_row("SELECT description FROM profiles WHERE id = ?", [id.0], |row| {
        row.get(0)
    })?;
    let lines = |kind: &str| {
        let mut statement =
            connection.prepare_cached("SELECT text FROM lines WHERE profile = ? AND kind = ? ORDER BY place")?;
        let rows = statement.query_map(params![id.0, kind], |row| {
            row.get::<_, String>(0).map(PrivateText::from)
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    Ok(Profile {
        description: description.into(),
        preferences: lines("preference")?,
        facts: lines("fact")?,
    })
}

fn write_profile(transaction: &Transaction<'_>, id: ProfileId, profile: &Profile) -> Result<(), Trouble> {
    let description = profile.description.as_private_str();
    transaction.execute(
        "UPDATE profiles SET description = ? WHERE id = ?",
        params![description, id.0],
    )?;
    transaction.execute("DELETE FROM lines WHERE profile = ?", [id.0])?;
    let mut statement =
        transaction.prepare_cached("INSERT INTO lines (profile, kind, place, text) VALUES (?, ?, ?, ?)")?;
    for (kind, lines) in [("preference", &profile.preferences), ("fact", &profile.facts)] {
        for (place, line) in (0_i64..).zip(lines) {
            statement.execute(params![id.0, kind, place, line.as_private_str()])?;
        }
    }
    Ok(())
}

fn check(profile: &Profile) -> Result<(), StoreError> {
    for (what, lines) in [
        ("the list of preferences", &profile.preferences),
        ("the list of facts", &profile.facts),
    ] {
        if lines.len() > MOST_LINES {
            return Err(StoreError::TooLarge {
                what,
                size: format!("{} lines", lines.len()),
                most: format!("{MOST_LINES} lines"),
            });
        }
    }
    let lines = profile
        .preferences
        .iter()
        .chain(&profile.facts)
        .chain([&profile.description]);
    let longest = lines.map(|line| line.as_private_str().len()).max().unwrap_or(0);
    if longest > MOST_LINE_BYTES {
        return Err(StoreError::TooLarge {
            what: "a line of the profile",
            size: format!("{longest} bytes"),
            most: format!("{MOST_LINE_BYTES} bytes"),
        });
    }
    Ok(())
}

fn stored_name(name: String) -> rusqlite::Result<ProfileName> {
    ProfileName::new(&name)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error)))
}

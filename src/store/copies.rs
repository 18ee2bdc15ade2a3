//! Recognising files that an older version has imported.

use rusqlite::{Transaction, params};

use super::stored_document::{COLUMNS, from_row};

/// Fills `documents.copy`. Older versions named notes by their place below the imported folder, so they are found by what they say.
pub fn recognise(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut ids = transaction.prepare("SELECT id FROM documents WHERE key <> hash")?;
    let ids: Vec<i64> = ids.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut read = transaction.prepare(&format!("SELECT {COLUMNS} FROM documents WHERE id = ?"))?;
    let mut write = transaction.prepare("UPDATE documents SET copy = ? WHERE id = ?")?;
    for id in ids {
        let stored = read.query_row([id], from_row)?;
        write.execute(params![stored.document.copy_hash(), id])?;
    }
    Ok(())
}

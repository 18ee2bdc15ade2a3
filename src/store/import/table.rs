use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::file::{Entries, File};
use super::format::ending;
use super::{Entry, Fault, ImportError, Place, encoding, record};

/// The largest table that is read, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// The rows of the table in `file`, read as records. The header names their fields.
///
/// # Errors
/// An [`ImportError`] where it is no text, or its header has no field with the text of a record.
pub fn entries(mut file: File) -> Result<Entries, ImportError> {
    let unfit = |path: &Path, reason| ImportError::Unfit {
        path: path.to_owned(),
        reason,
    };
    let mut bytes = Zeroizing::new(Vec::new());
    let whole = file.source.by_ref().take(MOST_BYTES + 1).read_to_end(&mut bytes);
    whole.map_err(|error| ImportError::unreadable(&file.path, error))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(unfit(&file.path, "is larger than 1 GiB; take it apart"));
    }
    let text = encoding::decode(&bytes).ok_or_else(|| unfit(&file.path, "is no text"))?;
    let delimiter = if ending(&file.path) == "tsv" {
        b'\t'
    } else {
        delimiter(&text)
    };
    let reader = std::io::Cursor::new(text.as_bytes().to_vec());
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(reader);
    let header = rows.headers().cloned().unwrap_or_default();
    let names: Vec<String> = header
        .iter()
        .map(|name| name.trim().trim_start_matches('\u{FEFF}').to_lowercase())
        .collect();
    let sample: Map<String, Value> = names.iter().map(|name| (name.clone(), "".into())).collect();
    if !record::is(&sample) && !names.is_empty() {
        return Err(unfit(
            &file.path,
            "has no column called text, content, output or body in its first row; name one so",
        ));
    }
    let (path, place) = (file.path, file.place);
    let mut number = 1;
    let records = rows.into_records().map(move |row| {
        number += 1;
        let read = row.map_err(|_| Fault::NotARow).and_then(|row| {
            let fields = names
                .iter()
                .cloned()
                .zip(row.iter().map(|value| Value::from(value.to_owned())));
            read(fields.collect(), &place)
        });
        read.map_err(|fault| ImportError::entry(&path, Place::Row(number), fault))
    });
    Ok(Box::new(records))
}

fn read(fields: Map<String, Value>, place: &Path) -> Result<Entry, Fault> {
    let mut entries = record::read(Value::Object(fields), place);
    entries.pop().map_or(Err(Fault::NotARow), |(_, entry)| entry)
}

/// What stands between the names of the header: Excel writes semicolons where numbers have commas.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |mark: &u8| header.bytes().filter(|byte| byte == mark).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(count).unwrap_or(b',')
}

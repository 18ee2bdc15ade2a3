//! Reading the metadata at the beginning of a GGUF file.
//!
//! Format: `docs/gguf.md` of ggml. The libraries at hand read the list of tensors, too, and refuse files with number formats that they
//! cannot compute with. A tokenizer needs none of that.

use std::collections::HashMap;
use std::io::{Error, ErrorKind, Read, Result};

/// Names and values of a file's metadata.
pub type Metadata = HashMap<String, Value>;

/// A value of the metadata. Numbers of all widths are one of three kinds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An integer without a sign.
    Unsigned(u64),
    /// An integer with a sign.
    Signed(i64),
    /// A floating-point number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// A text; bytes that are no UTF-8 are replaced.
    Text(String),
    /// Several values of one kind.
    List(Vec<Value>),
}

/// Bytes of a text, at most: many times the longest chat template.
const MOST_TEXT: u64 = 16 << 20;
/// Entries of a list, at most: many times the largest vocabulary.
const MOST_ENTRIES: u64 = 16 << 20;
/// Lists within lists.
const MOST_DEPTH: usize = 4;

/// Reads the metadata of a file.
///
/// # Errors
/// When it is no GGUF file of version 2 or 3, is cut short, or says something absurd.
pub fn read(source: &mut impl Read) -> Result<Metadata> {
    let mut reader = Reader { source };
    if reader.bytes::<4>()? != *b"GGUF" {
        return Err(wrong("it does not begin as a GGUF file does"));
    }
    let version = u32::from_le_bytes(reader.bytes()?);
    if !(2..=3).contains(&version) {
        return Err(wrong(&format!("its GGUF version is {version}; 2 and 3 can be read")));
    }
    let _tensors = reader.count()?;
    let entries = reader.count()?;
    let mut metadata = HashMap::new();
    for _ in 0..entries {
        let name = reader.text()?;
        let kind = u32::from_le_bytes(reader.bytes()?);
        metadata.insert(name, reader.value(kind, 0)?);
    }
    Ok(metadata)
}

fn wrong(reason: &str) -> Error {
    Error::new(ErrorKind::InvalidData, reason)
}

struct Reader<'a, R> {
    source: &'a mut R,
}

impl<R: Read> Reader<'_, R> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn count(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    fn text(&mut self) -> Result<String> {
        let length = self.count()?;
        if length > MOST_TEXT {
            return Err(wrong("it has a text of absurd length; is it damaged?"));
        }
        let mut bytes = Vec::new();
        self.source.take(length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn value(&mut self, kind: u32, depth: usize) -> Result<Value> {
        Ok(match kind {
            0 => Value::Unsigned(u8::from_le_bytes(self.bytes()?).into()),
            1 => Value::Signed(i8::from_le_bytes(self.bytes()?).into()),
            2 => Value::Unsigned(u16::from_le_bytes(self.bytes()?).into()),
            3 => Value::Signed(i16::from_le_bytes(self.bytes()?).into()),
            4 => Value::Unsigned(u32::from_le_bytes(self.bytes()?).into()),
            5 => Value::Signed(i32::from_le_bytes(self.bytes()?).into()),
            6 => Value::Float(f32::from_le_bytes(self.bytes()?).into()),
            7 => Value::Bool(self.bytes::<1>()? != [0]),
            8 => Value::Text(self.text()?),
            9 if depth < MOST_DEPTH => {
                let kind = u32::from_le_bytes(self.bytes()?);
                let entries = self.count()?;
                if entries > MOST_ENTRIES {
                    return Err(wrong("it has a list of absurd length; is it damaged?"));
                }
                let values: Result<Vec<Value>> = (0..entries).map(|_| self.value(kind, depth + 1)).collect();
                Value::List(values?)
            }
            10 => Value::Unsigned(u64::from_le_bytes(self.bytes()?)),
            11 => Value::Signed(i64::from_le_bytes(self.bytes()?)),
            12 => Value::Float(f64::from_le_bytes(self.bytes()?)),
            other => return Err(wrong(&format!("it has a value of the unknown kind {other}"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A file with a text, a list of numbers and a flag.
    fn file() -> Vec<u8> {
        let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        let mut file = b"GGUF".to_vec();
        file.extend(3_u32.to_le_bytes());
        file.extend(7_u64.to_le_bytes());
        file.extend(3_u64.to_le_bytes());
        file.extend([text("name"), 8_u32.to_le_bytes().into(), text("Ada")].concat());
        file.extend([text("list"), 9_u32.to_le_bytes().into(), 5_u32.to_le_bytes().into()].concat());
        file.extend(
            [
                2_u64.to_le_bytes().to_vec(),
                (-1_i32).to_le_bytes().into(),
                5_i32.to_le_bytes().into(),
            ]
            .concat(),
        );
        file.extend([text("flag"), 7_u32.to_le_bytes().into(), vec![1]].concat());
        file
    }

    #[test]
    fn values_come_back_as_they_were_written() {
        let metadata = read(&mut file().as_slice()).unwrap();
        assert_eq!(metadata["name"], Value::Text("Ada".into()));
        assert_eq!(metadata["list"], Value::List(vec![Value::Signed(-1), Value::Signed(5)]));
        assert_eq!(metadata["flag"], Value::Bool(true));
    }

    proptest! {
        #[test]
        fn a_file_that_is_cut_or_damaged_is_refused_or_read(cut in 0_usize..100, at in 0_usize..100, byte in any::<u8>()) {
            let whole = file();
            let short = &whole[..cut.min(whole.len() - 1)];
            prop_assert!(read(&mut &short[..]).is_err());
            let mut damaged = whole.clone();
            let at = at % damaged.len();
            damaged[at] = byte;
            // Whatever it says, it ends, and takes no memory for what is not there.
            let _ = read(&mut damaged.as_slice());
        }
    }
}

//! Avro object files as Event Hubs Capture writes them: the body of each event as a line of text. Of a file without
//! bodies each row becomes a JSON object. Only what such files have is read: a schema of named records, maps, unions and
//! scalars; blocks that are stored, deflated or compressed by Snappy or Zstandard. A crate for all of Avro would add
//! more crates than the rest of ingest has.

use std::io::{self, Read};

use serde_json::{Map, Number, Value};

/// A block or a value that is longer is taken for a broken file.
const BYTES_MAX: usize = 256 << 20;
/// Types inside types.
const DEPTH_MAX: usize = 32;
const SYNC_BYTES: usize = 16;

#[derive(Debug, Clone)]
enum Type {
    Null,
    Boolean,
    Int,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    Enum(Vec<String>),
    Array(Box<Self>),
    Map(Box<Self>),
    Union(Vec<Self>),
    Record(Vec<(String, Self)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
}

/// Reads the file as lines of text.
pub(super) struct AvroText<R> {
    reader: R,
    schema: Type,
    codec: Codec,
    sync: [u8; SYNC_BYTES],
    ready: io::Cursor<Vec<u8>>,
}

fn broken(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not a valid Avro file: {}", what.into()))
}

impl<R: Read> AvroText<R> {
    /// Reads the header.
    pub(super) fn new(mut reader: R) -> io::Result<Self> {
        let mut magic = [0; 4];
        reader.read_exact(&mut magic)?;
        let (mut schema, mut codec) = (None, Codec::Null);
        loop {
            let mut count = long(&mut reader)?;
            if count == 0 {
                break;
            }
            if count < 0 {
                long(&mut reader)?;
                count = -count;
            }
            for _ in 0..count {
                let key = bytes(&mut reader)?;
                let value = bytes(&mut reader)?;
                match key.as_slice() {
                    b"avro.schema" => {
                        let json: Value =
                            serde_json::from_slice(&value).map_err(|why| broken(why.to_string()))?;
                        schema = Some(type_of(&json, &mut Vec::new(), 0)?);
                    }
                    b"avro.codec" => {
                        codec = match value.as_slice() {
                            b"null" | b"" => Codec::Null,
                            b"deflate" => Codec::Deflate,
                            b"snappy" => Codec::Snappy,
                            b"zstandard" => Codec::Zstandard,
                            other => {
                                let name = String::from_utf8_lossy(other).into_owned();
                                return Err(broken(format!("its blocks are compressed by '{name}'")));
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        let mut sync = [0; SYNC_BYTES];
        reader.read_exact(&mut sync)?;
        let schema = schema.ok_or_else(|| broken("it has no schema"))?;
        Ok(Self { reader, schema, codec, sync, ready: io::Cursor::default() })
    }

    /// Reads the next block; false at the end.
    fn block(&mut self) -> io::Result<bool> {
        let mut first = [0];
        if self.reader.read(&mut first)? == 0 {
            return Ok(false);
        }
        let rows = long(&mut first.as_slice().chain(&mut self.reader))?;
        let stored = bytes(&mut self.reader)?;
        let mut sync = [0; SYNC_BYTES];
        self.reader.read_exact(&mut sync)?;
        if sync != self.sync {
            return Err(broken("a block does not end where it should"));
        }
        let block = self.decompress(stored)?;
        let mut block = block.as_slice();
        let mut text = Vec::new();
        for _ in 0..rows {
            line(value(&mut block, &self.schema)?, &mut text);
        }
        self.ready = io::Cursor::new(text);
        Ok(true)
    }

    fn decompress(&self, stored: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut block = Vec::new();
        let limit = BYTES_MAX as u64;
        match self.codec {
            Codec::Null => return Ok(stored),
            Codec::Deflate => {
                flate2::read::DeflateDecoder::new(stored.as_slice()).take(limit).read_to_end(&mut block)?;
            }
            Codec::Snappy => {
                // A checksum follows.
                let (packed, _) = stored.split_last_chunk::<4>().ok_or_else(|| broken("a block is cut"))?;
                let len = snap::raw::decompress_len(packed).map_err(io::Error::other)?;
                if len > BYTES_MAX {
                    return Err(broken("a block is too long"));
                }
                block = snap::raw::Decoder::new().decompress_vec(packed).map_err(io::Error::other)?;
            }
            Codec::Zstandard => {
                zstd::stream::read::Decoder::new(stored.as_slice())?.take(limit).read_to_end(&mut block)?;
            }
        }
        Ok(block)
    }
}

impl<R: Read> Read for AvroText<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.ready.read(buffer)?;
            if read > 0 || buffer.is_empty() || !self.block()? {
                return Ok(read);
            }
        }
    }
}

/// Adds a row: the body of an event, else all of it as an object.
fn line(row: Value, text: &mut Vec<u8>) {
    match row {
        Value::Object(mut members) if members.contains_key("Body") => match members.remove("Body") {
            Some(Value::String(body)) => {
                // Blanks between tokens: a body stays a line.
                let is_one = serde_json::from_str::<&serde_json::value::RawValue>(&body).is_ok();
                text.extend(
                    body.bytes()
                        .map(|byte| if is_one && matches!(byte, b'\n' | b'\r') { b' ' } else { byte }),
                );
            }
            Some(Value::Null) | None => return,
            Some(body) => text.extend(body.to_string().as_bytes()),
        },
        row => text.extend(row.to_string().as_bytes()),
    }
    text.push(b'\n');
}

/// The type that a schema describes; `named` are those that it has defined so far.
fn type_of(schema: &Value, named: &mut Vec<(String, Type)>, depth: usize) -> io::Result<Type> {
    if depth > DEPTH_MAX {
        return Err(broken("its types are nested too deeply"));
    }
    match schema {
        Value::String(name) => match name.as_str() {
            "null" => Ok(Type::Null),
            "boolean" => Ok(Type::Boolean),
            "int" | "long" => Ok(Type::Int),
            "float" => Ok(Type::Float),
            "double" => Ok(Type::Double),
            "bytes" => Ok(Type::Bytes),
            "string" => Ok(Type::Text),
            other => {
                let known = named.iter().find(|(known, _)| known == other).map(|(_, known)| known.clone());
                known.ok_or_else(|| broken(format!("the type '{other}' is not defined")))
            }
        },
        Value::Array(branches) => {
            let branches = branches.iter().map(|branch| type_of(branch, named, depth + 1));
            Ok(Type::Union(branches.collect::<io::Result<_>>()?))
        }
        Value::Object(members) => {
            let member = |name: &str| members.get(name).unwrap_or(&Value::Null);
            let kind = member("type");
            let found = match kind.as_str() {
                Some("record" | "error") => {
                    let fields = member("fields").as_array().map(Vec::as_slice).unwrap_or_default();
                    let fields = fields.iter().map(|field| {
                        let name = field["name"].as_str().unwrap_or_default().to_owned();
                        Ok((name, type_of(&field["type"], named, depth + 1)?))
                    });
                    Type::Record(fields.collect::<io::Result<_>>()?)
                }
                Some("enum") => {
                    let symbols = member("symbols").as_array().map(Vec::as_slice).unwrap_or_default();
                    Type::Enum(
                        symbols.iter().map(|name| name.as_str().unwrap_or_default().to_owned()).collect(),
                    )
                }
                Some("fixed") => {
                    let size = member("size").as_u64().and_then(|size| usize::try_from(size).ok());
                    Type::Fixed(
                        size.filter(|size| *size <= BYTES_MAX).ok_or_else(|| broken("a size is wrong"))?,
                    )
                }
                Some("array") => Type::Array(Box::new(type_of(member("items"), named, depth + 1)?)),
                Some("map") => Type::Map(Box::new(type_of(member("values"), named, depth + 1)?)),
                _ => return type_of(kind, named, depth + 1),
            };
            if let Some(name) = member("name").as_str() {
                named.push((name.to_owned(), found.clone()));
                if let Some(space) = member("namespace").as_str() {
                    named.push((format!("{space}.{name}"), found.clone()));
                }
            }
            Ok(found)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Err(broken("a type is missing in its schema")),
    }
}

fn value(from: &mut &[u8], kind: &Type) -> io::Result<Value> {
    Ok(match kind {
        Type::Null => Value::Null,
        Type::Boolean => Value::Bool(array::<1>(from)?[0] != 0),
        Type::Int => Value::from(long(from)?),
        Type::Float => Value::from(f32::from_le_bytes(array(from)?)),
        Type::Double => Number::from_f64(f64::from_le_bytes(array(from)?)).map_or(Value::Null, Value::Number),
        Type::Bytes | Type::Text => Value::String(String::from_utf8_lossy(&bytes(from)?).into_owned()),
        Type::Fixed(size) => {
            let mut fixed = vec![0; *size];
            from.read_exact(&mut fixed)?;
            Value::String(String::from_utf8_lossy(&fixed).into_owned())
        }
        Type::Enum(symbols) => {
            let symbol = usize::try_from(long(from)?).ok().and_then(|at| symbols.get(at));
            Value::String(symbol.ok_or_else(|| broken("a symbol is unknown"))?.clone())
        }
        Type::Union(branches) => {
            let branch = usize::try_from(long(from)?).ok().and_then(|at| branches.get(at));
            value(from, branch.ok_or_else(|| broken("a branch of a union is unknown"))?)?
        }
        Type::Array(items) => {
            let mut values = Vec::new();
            blocks(from, |from| {
                values.push(value(from, items)?);
                Ok(())
            })?;
            Value::Array(values)
        }
        Type::Map(kind) => {
            let mut members = Map::new();
            blocks(from, |from| {
                let key = String::from_utf8_lossy(&bytes(from)?).into_owned();
                members.insert(key, value(from, kind)?);
                Ok(())
            })?;
            Value::Object(members)
        }
        Type::Record(fields) => {
            let mut members = Map::new();
            for (name, kind) in fields {
                members.insert(name.clone(), value(from, kind)?);
            }
            Value::Object(members)
        }
    })
}

/// The items of an array or a map, which come in blocks.
fn blocks(from: &mut &[u8], mut item: impl FnMut(&mut &[u8]) -> io::Result<()>) -> io::Result<()> {
    loop {
        let mut count = long(from)?;
        if count == 0 {
            return Ok(());
        }
        if count < 0 {
            long(from)?;
            count = -count;
        }
        for _ in 0..count {
            // Items without bytes (nulls) would make a hostile count endless.
            if from.is_empty() {
                return Err(broken("a list is cut"));
            }
            item(from)?;
        }
    }
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A number of variable length, its sign in the lowest bit.
fn long(from: &mut impl Read) -> io::Result<i64> {
    let mut bits = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = array::<1>(from)?;
        bits |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed());
        }
    }
    Err(broken("a number is too long"))
}

fn bytes(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let len = usize::try_from(long(from)?).ok().filter(|len| *len <= BYTES_MAX);
    let len = len.ok_or_else(|| broken("a length is wrong"))?;
    let mut bytes = Vec::new();
    from.take(len as u64).read_to_end(&mut bytes)?;
    if bytes.len() == len { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: i64) -> Vec<u8> {
        let mut bits = (value << 1 ^ value >> 63).cast_unsigned();
        let mut bytes = Vec::new();
        while bits > 0x7f {
            bytes.push(bits.to_le_bytes()[0] | 0x80);
            bits >>= 7;
        }
        bytes.push(bits.to_le_bytes()[0]);
        bytes
    }

    fn text(text: &str) -> Vec<u8> {
        [number(text.len() as i64), text.as_bytes().to_vec()].concat()
    }

    const SCHEMA: &str = r#"{"type":"record","name":"EventData","fields":[
        {"name":"SequenceNumber","type":"long"},
        {"name":"Properties","type":{"type":"map","values":["long","double","string","bytes","null"]}},
        {"name":"Body","type":["null","bytes"]}]}"#;

    /// A file of events with these bodies, a block for each.
    fn capture(codec: &str, bodies: &[&str]) -> Vec<u8> {
        let mut file = [b"Obj\x01".to_vec(), number(2), text("avro.codec"), text(codec)].concat();
        file.extend([text("avro.schema"), text(SCHEMA), number(0), b"0123456789abcdef".to_vec()].concat());
        for (at, body) in bodies.iter().enumerate() {
            let row =
                [number(at as i64 - 1), number(1), text("key"), number(2), text("value"), number(0)].concat();
            let row = [row, number(1), text(body)].concat();
            let row = match codec {
                "deflate" => {
                    let mut encoder =
                        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
                    io::Write::write_all(&mut encoder, &row).expect("memory");
                    encoder.finish().expect("memory")
                }
                "snappy" => {
                    let packed = snap::raw::Encoder::new().compress_vec(&row).expect("memory");
                    [packed, vec![0; 4]].concat()
                }
                _ => row,
            };
            file.extend([number(1), number(row.len() as i64), row, b"0123456789abcdef".to_vec()].concat());
        }
        file
    }

    #[test]
    fn the_bodies_of_events_are_lines() {
        for codec in ["null", "deflate", "snappy"] {
            let file = capture(codec, &["{\"records\":[\n1]}", "{}", "not\njson"]);
            let mut lines = String::new();
            AvroText::new(file.as_slice()).expect("a header").read_to_string(&mut lines).expect("blocks");
            assert_eq!(lines, "{\"records\":[ 1]}\n{}\nnot\njson\n", "{codec}");
        }
    }

    #[test]
    fn a_file_that_is_cut_or_changed_anywhere_ends_with_an_error_or_other_text() {
        let file = capture("deflate", &["{\"a\":1}", "{\"b\":2}"]);
        for at in 4..file.len() {
            let mut all = Vec::new();
            let read = AvroText::new(&file[..at]).and_then(|mut text| text.read_to_end(&mut all));
            assert!(read.is_err() || all == b"{\"a\":1}\n" || all.is_empty(), "{at}");
            let mut changed = file.clone();
            changed[at] ^= 0x55;
            let _ = AvroText::new(changed.as_slice()).and_then(|mut text| text.read_to_end(&mut all));
        }
    }
}

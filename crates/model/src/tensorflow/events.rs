//! The records of event files, which TensorBoard draws its curves from.
//!
//! A file is one record after the other, the first of which says its version; each is an `Event` in a frame of its length
//! and checksums. Sources: `tensorflow/core/util/event.proto`, `summary.proto` in `tensorflow/core/framework`, and
//! `RecordWriter` in `tensorflow/core/lib/io/record_writer.cc`. The types hold the fields that we write.

use prost::{Message, Oneof};

use super::checksum::masked_crc32c;

/// What every event file of today begins with.
const FILE_VERSION: &str = "brain.Event:2";
/// `SessionStatus::START`: a reader then forgets every event of this and later steps that it has read before.
const START: i32 = 1;

/// The first record of a file. `wall_time` is in seconds since 1970, here and below.
pub fn file_version(wall_time: f64) -> Vec<u8> {
    record(wall_time, 0, What::FileVersion(FILE_VERSION.to_owned()))
}

/// Says that from here on, and from `step` on, this file counts and none that was written before.
pub fn start(wall_time: f64, step: i64) -> Vec<u8> {
    record(wall_time, step, What::SessionLog(SessionLog { status: START }))
}

/// Numbers of one step, each under its tag.
pub fn scalars(wall_time: f64, step: i64, values: &[(&str, f64)]) -> Vec<u8> {
    let values = values.iter().map(|&(tag, value)| Value {
        tag: tag.to_owned(),
        simple_value: Some(value as f32),
    });
    let value = values.collect();
    record(wall_time, step, What::Summary(Summary { value }))
}

/// Length, its checksum, the event, its checksum.
fn record(wall_time: f64, step: i64, what: What) -> Vec<u8> {
    let what = Some(what);
    let event = Event { wall_time, step, what }.encode_to_vec();
    let length = (event.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked_crc32c(&length).to_le_bytes());
    record.extend(&event);
    record.extend(masked_crc32c(&event).to_le_bytes());
    record
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    // `optional` although it is always there: without it a loss of exactly 0 would be left out and read as no value.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first record that TensorFlow 2.15 writes, with its time set to 1.0; lengths and checksums are TensorFlow's.
    #[test]
    fn the_first_record_is_framed_as_tensorflow_does_it() {
        let bytes = file_version(1.0);
        assert_eq!(bytes[..8], 24_u64.to_le_bytes());
        // The masked checksum of the length 24, which every event file of TensorFlow begins with.
        assert_eq!(bytes[8..12], [0xa3, 0x7f, 0x4b, 0x22]);
        assert_eq!(bytes.len(), 8 + 4 + 24 + 4);
        let event = Event::decode(&bytes[12..36]).unwrap();
        assert_eq!(event.what, Some(What::FileVersion("brain.Event:2".to_owned())));
        assert_eq!(bytes[36..], masked_crc32c(&bytes[12..36]).to_le_bytes());
    }

    #[test]
    fn scalars_come_back_with_step_and_tag_also_if_they_are_zero() {
        let bytes = scalars(2.5, 100, &[("loss", 0.0), ("rate", 0.25)]);
        let event = Event::decode(&bytes[12..bytes.len() - 4]).unwrap();
        assert_eq!((event.wall_time, event.step), (2.5, 100));
        let Some(What::Summary(Summary { value })) = event.what else {
            panic!("{event:?}")
        };
        let found: Vec<_> = value
            .iter()
            .map(|value| (value.tag.as_str(), value.simple_value))
            .collect();
        assert_eq!(found, [("loss", Some(0.0)), ("rate", Some(0.25))]);
    }
}

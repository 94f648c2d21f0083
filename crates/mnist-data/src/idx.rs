//! The IDX format: a header of type and dimensions, then the elements, all big-endian. Strict, and for every type.
//!
//! ```text
//! byte 0, 1    zero
//! byte 2       type of the elements: 08, 09, 0B, 0C, 0D or 0E
//! byte 3       number of dimensions
//! byte 4 …     each dimension as an unsigned 32-bit number
//! then         the elements, the last dimension running fastest, and nothing behind them
//! ```

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, IxDyn};

/// Largest number of bytes of elements that is read: 1 GiB, twice the largest published set (EMNIST by class).
pub const ELEMENT_BYTES_MAX: u64 = 1 << 30;

/// The content of an IDX file, in the type that it is kept in.
#[derive(Clone, Debug, PartialEq)]
pub enum IdxArray {
    U8(ArrayD<u8>),
    I8(ArrayD<i8>),
    I16(ArrayD<i16>),
    I32(ArrayD<i32>),
    F32(ArrayD<f32>),
    F64(ArrayD<f64>),
}

/// What the first bytes of an IDX file say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub element: Element,
    pub dimensions: Vec<usize>,
}

/// Type of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    U8,
    I8,
    I16,
    I32,
    F32,
    F64,
}

/// Bytes that are no IDX file.
#[derive(Debug, thiserror::Error)]
pub enum IdxError {
    #[error("at byte {offset}: expected {expected}, found {found}")]
    Malformed {
        offset: u64,
        expected: String,
        found: String,
    },
    #[error("cannot read on at byte {offset}")]
    Read {
        offset: u64,
        #[source]
        source: io::Error,
    },
}

/// A file that cannot be read as IDX.
#[derive(Debug, thiserror::Error)]
pub enum IdxFileError {
    #[error("cannot open `{}`", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{}` is no usable IDX file", path.display())]
    Content {
        path: PathBuf,
        #[source]
        source: IdxError,
    },
}

/// Reads the IDX file at `path`, which must not be compressed.
pub fn read_file(path: &Path) -> Result<IdxArray, IdxFileError> {
    let open_error = |source| IdxFileError::Open {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(open_error)?;
    let n_bytes = file.metadata().map_err(open_error)?.len();
    read(&mut file, n_bytes).map_err(|source| IdxFileError::Content {
        path: path.to_owned(),
        source,
    })
}

/// Understands `bytes` as a whole IDX file.
pub fn parse(mut bytes: &[u8]) -> Result<IdxArray, IdxError> {
    let n_bytes = bytes.len() as u64;
    read(&mut bytes, n_bytes)
}

/// Whether `bytes` are a whole IDX file, and what its header says; takes no memory for the elements.
pub fn check(mut bytes: &[u8]) -> Result<Header, IdxError> {
    let n_bytes = bytes.len() as u64;
    let (header, _) = Source {
        reader: &mut bytes,
        offset: 0,
        n_bytes,
    }
    .checked_header()?;
    Ok(header)
}

/// Reads an IDX file of `n_bytes` bytes. Header and length are checked before memory is taken for the elements.
fn read(reader: &mut dyn Read, n_bytes: u64) -> Result<IdxArray, IdxError> {
    let mut source = Source {
        reader,
        offset: 0,
        n_bytes,
    };
    let (header, n_element_bytes) = source.checked_header()?;
    let mut bytes = vec![0; n_element_bytes as usize];
    source.fill(&mut bytes, "elements")?;
    Ok(header.array(bytes))
}

/// A reader that knows where it is.
struct Source<'a> {
    reader: &'a mut dyn Read,
    offset: u64,
    n_bytes: u64,
}

impl Header {
    /// Bytes that the elements take, if that is below [`ELEMENT_BYTES_MAX`].
    fn element_bytes(&self) -> Result<u64, IdxError> {
        let too_large = || IdxError::Malformed {
            offset: 4,
            expected: format!("dimensions of at most {ELEMENT_BYTES_MAX} bytes together"),
            found: self.dimensions_text(),
        };
        // A dimension of zero makes the product zero whatever the others are, but ndarray still wants the product of
        // the others to be addressable.
        let others = self.dimensions.iter().map(|&dimension| dimension.max(1) as u64);
        let n_elements = others.into_iter().try_fold(1_u64, u64::checked_mul);
        let n_bytes = n_elements.and_then(|n| n.checked_mul(self.element.n_bytes() as u64));
        match n_bytes {
            Some(n_bytes) if self.dimensions.contains(&0) && isize::try_from(n_bytes).is_ok() => Ok(0),
            Some(n_bytes) if n_bytes <= ELEMENT_BYTES_MAX => Ok(n_bytes),
            _ => Err(too_large()),
        }
    }

    /// The dimensions as people write them, `60000 × 28 × 28`.
    pub fn dimensions_text(&self) -> String {
        let texts: Vec<String> = self.dimensions.iter().map(ToString::to_string).collect();
        texts.join(" × ")
    }

    /// Gives `bytes`, whose number has been checked, their type and shape.
    fn array(&self, bytes: Vec<u8>) -> IdxArray {
        fn shaped<T>(dimensions: &[usize], elements: Vec<T>) -> ArrayD<T> {
            ArrayD::from_shape_vec(IxDyn(dimensions), elements)
                .expect("the number of bytes was computed from these dimensions")
        }
        fn convert<const N: usize, T>(bytes: &[u8], from: fn([u8; N]) -> T) -> Vec<T> {
            bytes.as_chunks().0.iter().map(|&chunk| from(chunk)).collect()
        }
        let dimensions = &self.dimensions;
        match self.element {
            Element::U8 => IdxArray::U8(shaped(dimensions, bytes)),
            Element::I8 => IdxArray::I8(shaped(dimensions, convert(&bytes, i8::from_be_bytes))),
            Element::I16 => IdxArray::I16(shaped(dimensions, convert(&bytes, i16::from_be_bytes))),
            Element::I32 => IdxArray::I32(shaped(dimensions, convert(&bytes, i32::from_be_bytes))),
            Element::F32 => IdxArray::F32(shaped(dimensions, convert(&bytes, f32::from_be_bytes))),
            Element::F64 => IdxArray::F64(shaped(dimensions, convert(&bytes, f64::from_be_bytes))),
        }
    }
}

impl Element {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x08 => Self::U8,
            0x09 => Self::I8,
            0x0b => Self::I16,
            0x0c => Self::I32,
            0x0d => Self::F32,
            0x0e => Self::F64,
            _ => return None,
        })
    }

    fn n_bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The name that the format's description gives this type.
    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "unsigned byte",
            Self::I8 => "signed byte",
            Self::I16 => "short",
            Self::I32 => "int",
            Self::F32 => "float",
            Self::F64 => "double",
        }
    }
}

impl IdxArray {
    /// Type and dimensions of this array.
    pub fn header(&self) -> Header {
        let (element, dimensions) = match self {
            Self::U8(array) => (Element::U8, array.shape()),
            Self::I8(array) => (Element::I8, array.shape()),
            Self::I16(array) => (Element::I16, array.shape()),
            Self::I32(array) => (Element::I32, array.shape()),
            Self::F32(array) => (Element::F32, array.shape()),
            Self::F64(array) => (Element::F64, array.shape()),
        };
        Header {
            element,
            dimensions: dimensions.to_vec(),
        }
    }
}

impl Source<'_> {
    /// The header, and the number of bytes behind it, if exactly these are there.
    fn checked_header(&mut self) -> Result<(Header, u64), IdxError> {
        let header = self.header()?;
        let n_element_bytes = header.element_bytes()?;
        self.expect_exactly(n_element_bytes)?;
        Ok((header, n_element_bytes))
    }

    fn header(&mut self) -> Result<Header, IdxError> {
        let mut magic = [0; 4];
        self.fill(&mut magic, "four bytes of magic number")?;
        let [zero_0, zero_1, code, n_dimensions] = magic;
        if [zero_0, zero_1] != [0, 0] {
            return Err(malformed(0, "the bytes 00 00", &format!("{zero_0:02X} {zero_1:02X}")));
        }
        let Some(element) = Element::from_code(code) else {
            return Err(malformed(
                2,
                "a type code (08, 09, 0B, 0C, 0D or 0E)",
                &format!("{code:02X}"),
            ));
        };
        if n_dimensions == 0 {
            return Err(malformed(3, "at least one dimension", "00"));
        }
        let mut dimensions = Vec::with_capacity(usize::from(n_dimensions));
        for number in 1..=n_dimensions {
            let mut bytes = [0; 4];
            self.fill(&mut bytes, &format!("dimension {number} of {n_dimensions}"))?;
            dimensions.push(u32::from_be_bytes(bytes) as usize);
        }
        Ok(Header { element, dimensions })
    }

    /// Checks that `n_expected` bytes are left, no more and no fewer.
    fn expect_exactly(&self, n_expected: u64) -> Result<(), IdxError> {
        let n_left = self.n_bytes.saturating_sub(self.offset);
        if n_left < n_expected {
            let expected = format!("{n_expected} bytes of elements from byte {}", self.offset);
            return Err(malformed(
                self.n_bytes,
                &expected,
                &format!("the end after {n_left} of them"),
            ));
        }
        if n_left > n_expected {
            let end = self.offset + n_expected;
            return Err(malformed(
                end,
                "the end of the file",
                &format!("{} more bytes", n_left - n_expected),
            ));
        }
        Ok(())
    }

    fn fill(&mut self, buffer: &mut [u8], what: &str) -> Result<(), IdxError> {
        self.reader.read_exact(buffer).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => malformed(self.offset, what, "the end of the file"),
            _ => IdxError::Read {
                offset: self.offset,
                source,
            },
        })?;
        self.offset += buffer.len() as u64;
        Ok(())
    }
}

fn malformed(offset: u64, expected: &str, found: &str) -> IdxError {
    IdxError::Malformed {
        offset,
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

#[cfg(test)]
mod tests;

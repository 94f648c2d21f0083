//! What shall become of the rows of a training.

use std::fmt::{self, Display, Formatter};

use super::{affine::Affine, elastic::Elastic, noise::RowNoise, resample::SIDE_MAX, shift::Shift};

/// Which part of the rows is changed in which way, and how much. Each kind takes its rows by a draw of its own, so a
/// row may be changed in several ways. The default changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augmentation {
    pub shift: Shift,
    pub affine: Affine,
    pub elastic: Elastic,
    pub noise: RowNoise,
}

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AugmentationError {
    #[error("{setting} is {found}, expected from {} to {}", range.0, range.1)]
    Range {
        setting: Setting,
        found: f64,
        /// The smallest and the largest value.
        range: (f64, f64),
    },
    #[error(
        "images of {height} × {width} pixels cannot be shifted by up to {pixels} pixels: expected less than a side"
    )]
    Shift { pixels: u8, height: usize, width: usize },
    #[error(
        "images of {height} × {width} pixels are too large for affine and elastic maps, expected up to {SIDE_MAX} a side"
    )]
    Size { height: usize, width: usize },
}

/// A number in [`Augmentation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    ShiftShare,
    AffineShare,
    Rotation,
    Scale,
    Shear,
    ElasticShare,
    ElasticPixels,
    ElasticSmoothness,
    NoiseShare,
    NoiseAmplitude,
}

impl Augmentation {
    /// Whether all numbers are in their ranges; whether the images are large enough for them shows when an
    /// [`Augmenter`](super::Augmenter) is made.
    ///
    /// # Errors
    ///
    /// The first number that is not.
    pub fn check(&self) -> Result<(), AugmentationError> {
        let Self {
            shift,
            affine,
            elastic,
            noise,
        } = self;
        let share = (0.0, 1.0);
        for (setting, found, range) in [
            (Setting::ShiftShare, shift.share, share),
            (Setting::AffineShare, affine.share, share),
            (Setting::Rotation, affine.rotation, (0.0, 180.0)),
            (Setting::Scale, affine.scale, (0.0, 0.5)),
            (Setting::Shear, affine.shear, (0.0, 1.0)),
            (Setting::ElasticShare, elastic.share, share),
            (Setting::ElasticPixels, elastic.pixels, (0.0, 10.0)),
            (Setting::ElasticSmoothness, elastic.smoothness, (0.5, 32.0)),
            (Setting::NoiseShare, noise.share, share),
            (Setting::NoiseAmplitude, noise.amplitude, (0.0, 10.0)),
        ] {
            // Written so that NaN is refused too.
            if !(range.0..=range.1).contains(&found) {
                return Err(AugmentationError::Range { setting, found, range });
            }
        }
        Ok(())
    }

    /// Whether images of `size` (height, width) can be changed in this way; the numbers are in their ranges.
    pub(crate) fn check_size(&self, (height, width): (usize, usize)) -> Result<(), AugmentationError> {
        let pixels = self.shift.pixels;
        if self.shift.share > 0.0 && usize::from(pixels) >= height.min(width) {
            return Err(AugmentationError::Shift { pixels, height, width });
        }
        if (self.affine.share > 0.0 || self.elastic.share > 0.0) && height.max(width) > SIDE_MAX {
            return Err(AugmentationError::Size { height, width });
        }
        Ok(())
    }
}

impl Display for Setting {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ShiftShare => "the share of shifted rows",
            Self::AffineShare => "the share of rows with an affine map",
            Self::Rotation => "the rotation in degrees",
            Self::Scale => "the relative change of scale",
            Self::Shear => "the shear",
            Self::ElasticShare => "the share of rows with an elastic map",
            Self::ElasticPixels => "the displacement of elastic maps in pixels",
            Self::ElasticSmoothness => "the smoothness of elastic maps in pixels",
            Self::NoiseShare => "the share of rows with noise",
            Self::NoiseAmplitude => "the amplitude of the noise",
        })
    }
}

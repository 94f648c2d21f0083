//! What becomes of each row: decided first and quickly, for all rows in turn; made afterwards, by all cores at once.

use super::{settings::Augmentation, shift::Offset, stretch::Stretch};
use crate::{dataset::Dataset, random::Random};

/// How one image is made.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Its number in the data set.
    pub(crate) image: u32,
    pub(crate) offset: Offset,
    pub(crate) is_mapped: bool,
    pub(crate) is_bent: bool,
    /// Goes on with the random numbers of this row.
    pub(crate) random: Random,
}

/// Draws jobs.
#[derive(Clone, Debug)]
pub(crate) struct Planner {
    row_seed: u64,
    shift_pixels: u8,
    shift: Chance,
    affine: Chance,
    elastic: Chance,
    noise: Chance,
}

/// How many of 65,536 rows, so that one random number decides on all kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chance(u64);

impl Planner {
    pub(crate) fn new(augmentation: &Augmentation, row_seed: u64) -> Self {
        Self {
            row_seed,
            shift_pixels: augmentation.shift.pixels,
            shift: Chance::new(augmentation.shift.share),
            affine: Chance::new(augmentation.affine.share),
            elastic: Chance::new(augmentation.elastic.share),
            noise: Chance::new(augmentation.noise.share),
        }
    }

    /// Sets all of `stretch` but the images themselves, which are to be made. Its rows are those of the data set so
    /// far.
    pub(crate) fn plan(&self, dataset: &Dataset, first_step: u64, rows_per_step: usize, stretch: &mut Stretch) {
        stretch.moved_jobs.clear();
        stretch.moved_labels.clear();
        stretch.noisy_jobs.clear();
        stretch.noisy_labels.clear();
        stretch.noisy_rows.clear();
        if self.changes_nothing() {
            return;
        }
        for (step, first_row) in (first_step..).zip((0..stretch.rows.len()).step_by(rows_per_step)) {
            let step_seed = Random::new(self.row_seed, step).bits();
            for row in 0..rows_per_step {
                let random = Random::new(step_seed, row as u64);
                self.plan_row(dataset, random, first_row + row, stretch);
            }
        }
        // Only now is known where the noisy images begin.
        let first_noisy = dataset.n_images() + stretch.moved_jobs.len();
        for (number, &row) in (first_noisy..).zip(&stretch.noisy_rows) {
            stretch.rows[row] = row_number(number);
        }
    }

    fn plan_row(&self, dataset: &Dataset, mut random: Random, row: usize, stretch: &mut Stretch) {
        let mut dice = random.bits();
        let mut happens = |chance: Chance| {
            let number = dice & 0xffff;
            dice >>= 16;
            number < chance.0
        };
        let [is_shifted, is_mapped, is_bent, is_noisy] =
            [self.shift, self.affine, self.elastic, self.noise].map(&mut happens);
        let offset = if is_shifted {
            self.offset(&mut random)
        } else {
            Offset::default()
        };
        let image = stretch.rows[row];
        let label = dataset.labels()[image as usize];
        let job = Job {
            image,
            offset,
            is_mapped,
            is_bent,
            random,
        };
        if is_noisy {
            stretch.noisy_jobs.push(job);
            stretch.noisy_labels.push(label);
            stretch.noisy_rows.push(row);
        } else if job.moves() {
            stretch.rows[row] = row_number(dataset.n_images() + stretch.moved_jobs.len());
            stretch.moved_jobs.push(job);
            stretch.moved_labels.push(label);
        }
    }

    fn offset(&self, random: &mut Random) -> Offset {
        let furthest = i16::from(self.shift_pixels);
        let mut along_axis = || random.below(2 * u32::from(self.shift_pixels) + 1) as i16 - furthest;
        Offset {
            down: along_axis(),
            right: along_axis(),
        }
    }

    fn changes_nothing(&self) -> bool {
        [self.shift, self.affine, self.elastic, self.noise] == [Chance(0); 4]
    }
}

impl Job {
    /// Whether the image is more than the one of the data set, noise aside.
    pub(crate) fn moves(&self) -> bool {
        self.is_mapped || self.is_bent || self.offset != Offset::default()
    }
}

impl Chance {
    /// Of a share from 0 to 1.
    fn new(share: f64) -> Self {
        Self((share * 65_536.0).round() as u64)
    }
}

fn row_number(number: usize) -> u32 {
    u32::try_from(number).expect("a data set and a stretch have fewer than 2^32 images")
}

//! Random numbers whose sequence is part of our promises: the same seed gives the same batches and the same noise
//! on every machine and in every later version, which no random number library promises.

/// The SplitMix64 generator (Steele, Lea and Flood, 2014): one addition and a mixing function.
///
/// Its quality is ample for shuffling and noise; it is not for secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random {
    state: u64,
}

/// Odd number next to 2^64 divided by the golden ratio; consecutive multiples of it are spread evenly.
const GOLDEN_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// Starts stream number `stream` of `seed`. Streams of one seed are independent of each other, so that each use
    /// (an epoch, the noise, …) takes its own and none depends on how many numbers another has drawn.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self {
            state: mix(seed ^ mix(stream.wrapping_add(GOLDEN_STEP))),
        }
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_STEP);
        mix(self.state)
    }

    /// Leaves out the next `n_numbers` numbers, however many, at once.
    pub fn skip(&mut self, n_numbers: u64) {
        self.state = self.state.wrapping_add(GOLDEN_STEP.wrapping_mul(n_numbers));
    }

    /// A number from 0 up to but excluding 1, one of 2^24 equally likely ones.
    pub fn unit(&mut self) -> f32 {
        // 24 bits are what an f32 holds exactly; more would round up to 1 now and then.
        (self.bits() >> 40) as f32 / (1 << 24) as f32
    }

    /// A number below `end`, which must not be 0.
    pub fn below(&mut self, end: u32) -> u32 {
        // The upper half of a product instead of a remainder: no division, and a bias below 2^-32.
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u32
    }

    /// Brings `items` into a random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (2..=items.len()).rev() {
            let last = u32::try_from(end).expect("a data set has fewer than 2^32 images");
            items.swap(end - 1, self.below(last) as usize);
        }
    }
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Change nothing here: seeds that people wrote down must keep their meaning.
    #[test]
    fn the_sequence_never_changes() {
        let mut random = Random { state: 1_234_567 };
        // The first numbers of the published reference implementation for this state.
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(), 3_203_168_211_198_807_973);
        let mut order = [0, 1, 2, 3, 4, 5, 6, 7];
        Random::new(42, 0).shuffle(&mut order);
        assert_eq!(order, [3, 7, 4, 2, 5, 1, 0, 6]);
    }

    #[test]
    fn units_lie_in_the_half_open_interval_and_spread_evenly() {
        let mut random = Random::new(1, 0);
        let units: Vec<f32> = (0..100_000).map(|_| random.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mean = units.iter().map(|&unit| f64::from(unit)).sum::<f64>() / units.len() as f64;
        assert!((mean - 0.5).abs() < 0.005, "mean {mean}");
    }

    #[test]
    fn streams_of_one_seed_differ() {
        assert_ne!(Random::new(1, 0).bits(), Random::new(1, 1).bits());
        assert_ne!(Random::new(1, 1).bits(), Random::new(2, 1).bits());
    }

    #[test]
    fn numbers_below_an_end_reach_all_of_it() {
        let mut random = Random::new(9, 0);
        let mut counts = [0; 5];
        for _ in 0..5_000 {
            counts[random.below(5) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }
}

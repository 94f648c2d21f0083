//! Every operation of every instruction set against plain Rust, to the bit.

use proptest::prelude::{Strategy, any, prop_oneof, proptest};

use super::{InstructionSet, Kernel, Simd};
use crate::lanes::Lanes;

/// What the operations make of three vectors, in one order.
struct Operations {
    a: Lanes,
    b: Lanes,
    c: Lanes,
    bytes: [u8; 16],
    kept: u16,
}

impl Kernel for &Operations {
    type Output = (Vec<Lanes>, [u16; 2]);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        let (a, b, c) = (simd.load(&self.a), simd.load(&self.b), simd.load(&self.c));
        let vectors = [
            simd.splat(self.a.0[3]),
            simd.load_bytes(&self.bytes),
            simd.mul_add(a, b, c),
            simd.neg_mul_add(a, b, c),
            simd.add(a, b),
            simd.mul(a, b),
            simd.div(a, b),
            simd.sqrt(a),
            simd.max(a, b),
            simd.round(a),
            simd.keep(self.kept, a),
        ];
        let mut results = vec![Lanes::ZERO; vectors.len() + 1];
        for (vector, result) in vectors.into_iter().zip(&mut results) {
            simd.store(vector, result);
        }
        simd.stream(a, &mut results[vectors.len()]);
        simd.publish();
        (results, [simd.positive(a), simd.non_zero(a)])
    }
}

impl Operations {
    /// The same without vectors.
    fn naive(&self) -> (Vec<Lanes>, [u16; 2]) {
        let (a, b, c) = (self.a.0, self.b.0, self.c.0);
        let lanes = |lane: &dyn Fn(usize) -> f32| Lanes(std::array::from_fn(lane));
        let results = vec![
            lanes(&|_| a[3]),
            lanes(&|j| f32::from(self.bytes[j])),
            lanes(&|j| a[j].mul_add(b[j], c[j])),
            lanes(&|j| (-a[j]).mul_add(b[j], c[j])),
            lanes(&|j| a[j] + b[j]),
            lanes(&|j| a[j] * b[j]),
            lanes(&|j| a[j] / b[j]),
            lanes(&|j| a[j].sqrt()),
            lanes(&|j| if a[j] > b[j] { a[j] } else { b[j] }),
            lanes(&|j| a[j].round_ties_even()),
            lanes(&|j| if self.kept >> j & 1 == 1 { a[j] } else { 0.0 }),
            self.a,
        ];
        let bits = |is_set: fn(f32) -> bool| (0..16).filter(|j| is_set(a[*j])).map(|j| 1 << j).sum();
        (results, [bits(|number| number > 0.0), bits(|number| number != 0.0)])
    }
}

struct Transposition([Lanes; 16]);

impl Kernel for &Transposition {
    type Output = [Lanes; 16];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [Lanes; 16] {
        let mut turned = [Lanes::ZERO; 16];
        for (column, place) in super::transpose(simd, &self.0).into_iter().zip(&mut turned) {
            simd.store(column, place);
        }
        turned
    }
}

struct Powers(Lanes);

impl Kernel for &Powers {
    type Output = Lanes;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Lanes {
        let mut powers = Lanes::ZERO;
        simd.store(simd.exp2_of_whole(simd.load(&self.0)), &mut powers);
        powers
    }
}

/// Numbers of all sizes that stay clear of denormals, which are zero to some sets and not to the naive way.
fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -1e9_f32..1e9,
        2 => -1.0_f32..1.0,
        1 => proptest::sample::select(vec![0.0, -0.0, 0.5, 1.5, -2.5, f32::NAN, f32::INFINITY, f32::NEG_INFINITY]),
    ]
    .prop_map(|number| {
        if number.is_subnormal() || number.abs() < 1e-12 {
            number * 0.0
        } else {
            number
        }
    })
}

fn lanes() -> impl Strategy<Value = Lanes> {
    proptest::collection::vec(number(), 16).prop_map(|numbers| Lanes(numbers.try_into().unwrap()))
}

/// The bits, with one kind of NaN.
fn bits(lanes: &[Lanes]) -> Vec<u32> {
    let numbers = lanes.iter().flat_map(|lanes| lanes.0);
    numbers
        .map(|number| {
            if number.is_nan() {
                f32::NAN.to_bits()
            } else {
                number.to_bits()
            }
        })
        .collect()
}

proptest! {
    #[test]
    fn operations_give_the_same_bits_everywhere(
        (a, b, c) in (lanes(), lanes(), lanes()), bytes: [u8; 16], kept: u16
    ) {
        let operations = Operations { a, b, c, bytes, kept };
        let (naive_results, naive_sets) = operations.naive();
        for set in InstructionSet::available() {
            let (results, sets) = set.run(&operations);
            assert_eq!(bits(&results), bits(&naive_results), "{set}");
            assert_eq!(sets, naive_sets, "{set}");
        }
    }

    #[test]
    fn a_transpose_exchanges_rows_and_columns(numbers in proptest::collection::vec(any::<u16>(), 256)) {
        let square: [Lanes; 16] =
            std::array::from_fn(|i| Lanes(std::array::from_fn(|j| f32::from(numbers[16 * i + j]))));
        let naive: Vec<Lanes> = (0..16).map(|j| Lanes(std::array::from_fn(|i| square[i].0[j]))).collect();
        for set in InstructionSet::available() {
            assert_eq!(set.run(&Transposition(square)).to_vec(), naive, "{set}");
        }
    }
}

#[test]
fn powers_of_two_are_exact() {
    for first in (-126_i16..=112).step_by(14) {
        let exponents: [i16; 16] = std::array::from_fn(|j| first + j as i16);
        let factor = |exponent: i16| if exponent < 0 { 0.5 } else { 2.0 };
        let naive = exponents.map(|exponent| (0..exponent.abs()).fold(1.0_f32, |power, _| power * factor(exponent)));
        for set in InstructionSet::available() {
            assert_eq!(set.run(&Powers(Lanes(exponents.map(f32::from)))).0, naive, "{set}");
        }
    }
}

#[test]
fn the_portable_set_is_always_there_and_comes_last() {
    let names: Vec<_> = InstructionSet::available()
        .into_iter()
        .map(InstructionSet::name)
        .collect();
    assert_eq!(names.last(), Some(&"portable"));
    assert_eq!(InstructionSet::best().to_string(), names[0]);
}

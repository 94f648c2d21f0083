//! Functions as sums of plain arithmetic, which every machine rounds alike. Those of the system's mathematical library
//! may differ in their last bit from machine to machine, and with them the images that a seed stands for.

/// Terms below this are lost beside the sum.
const TERM_MIN: f64 = 1e-18;

/// Sine and cosine of an angle of up to half a turn, in radians.
pub(crate) fn sin_cos(angle: f64) -> (f64, f64) {
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (power, term) in terms(angle) {
        match power % 4 {
            0 => cosine += term,
            1 => sine += term,
            2 => cosine -= term,
            _ => sine -= term,
        }
    }
    (sine, cosine)
}

/// The exponential of a number near 0.
pub(crate) fn exp(exponent: f64) -> f64 {
    terms(exponent).map(|(_, term)| term).sum()
}

/// The powers of `x` with their coefficients in the exponential series, as far as they count.
fn terms(x: f64) -> impl Iterator<Item = (u32, f64)> {
    let following = move |&(power, term): &(u32, f64)| Some((power + 1, term * x / f64::from(power + 1)));
    std::iter::successors(Some((0, 1.0)), following).take_while(|(_, term)| term.abs() > TERM_MIN)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn the_sums_are_those_of_the_system_but_for_rounding() {
        for step in -40..=40 {
            let x = PI * f64::from(step) / 40.0;
            let (sine, cosine) = sin_cos(x);
            assert!((sine - x.sin()).abs() < 1e-14, "sine of {x}: {sine}");
            assert!((cosine - x.cos()).abs() < 1e-14, "cosine of {x}: {cosine}");
            assert!((exp(x) - x.exp()).abs() < 1e-13, "exponential of {x}: {}", exp(x));
        }
    }

    #[test]
    fn nothing_is_rounded_at_zero() {
        assert_eq!(sin_cos(0.0), (0.0, 1.0));
        assert_eq!(exp(0.0), 1.0);
    }
}

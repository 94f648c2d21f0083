//! The wrong answers that the network was most certain of, with their images.

use std::fmt::Write;

use formats::evaluation::WrongAnswer;
use maud::{Markup, html};
use mnist_data::Dataset;

use super::super::words::percent;

/// Shades of grey between black and white. More are not told apart at the size of a thumbnail.
const SHADES: u8 = 15;

/// Each error with its image.
pub(super) fn errors(errors: &[WrongAnswer], images: &Dataset) -> Markup {
    if errors.is_empty() {
        return html! { p { "Every clean test image got the right answer." } };
    }
    let (_, width) = images.image_size();
    html! {
        p { "The clean test images whose wrong answer had the highest probability; numbered in the order of the test set, from 0." }
        ul.errors {
            @for error in errors {
                li {
                    figure {
                        (drawing(images.pixels(error.image as usize), width, &in_words(error)))
                        figcaption aria-hidden="true" {
                            span.answer { strong { (error.class_id) } ", not " (error.label) }
                            span { (percent(error.probability)) }
                            span { "no. " (error.image) }
                        }
                    }
                }
            }
        }
    }
}

fn in_words(error: &WrongAnswer) -> String {
    let WrongAnswer {
        image,
        label,
        class_id,
        probability,
    } = error;
    format!(
        "Test image {image} of class {label}, answered {class_id} with a probability of {}",
        percent(*probability)
    )
}

/// An image as a drawing: for each shade, the runs of pixels that have it.
fn drawing(pixels: &[u8], width: usize, in_words: &str) -> Markup {
    let height = pixels.len() / width;
    html! {
        svg viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(in_words) shape-rendering="crispEdges" {
            rect width=(width) height=(height) fill="#000" {}
            @for shade in 1..=SHADES {
                @let runs = runs(pixels, width, shade);
                @if !runs.is_empty() { path fill=(format!("#{:02x}{0:02x}{0:02x}", shade * 17)) d=(runs) {} }
            }
        }
    }
}

/// The runs of pixels of one shade, each as a rectangle of height 1.
fn runs(pixels: &[u8], width: usize, shade: u8) -> String {
    let mut path = String::new();
    for (row, pixels) in pixels.chunks(width).enumerate() {
        let mut column = 0;
        for run in pixels.chunk_by(|one, other| shade_of(*one) == shade_of(*other)) {
            if shade_of(run[0]) == shade {
                let length = run.len();
                write!(path, "M{column} {row}h{length}v1h-{length}z").expect("a string takes any text");
            }
            column += run.len();
        }
    }
    path
}

/// The nearest shade to a pixel, from 0 for black to [`SHADES`] for white.
fn shade_of(pixel: u8) -> u8 {
    ((u16::from(pixel) * u16::from(SHADES) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_has_each_run_of_pixels_at_its_place() {
        let pixels = [0, 255, 255, 0, 0, 130, 255, 255, 255, 0, 0, 130];
        assert_eq!(runs(&pixels, 6, 15), "M1 0h2v1h-2zM0 1h3v1h-3z");
        assert_eq!(runs(&pixels, 6, 8), "M5 0h1v1h-1zM5 1h1v1h-1z");
        assert_eq!(runs(&pixels, 6, 7), "");
    }

    #[test]
    fn every_pixel_has_the_nearest_shade() {
        assert_eq!(
            [0, 8, 9, 127, 128, 246, 247, 255].map(shade_of),
            [0, 0, 1, 7, 8, 14, 15, 15]
        );
    }
}

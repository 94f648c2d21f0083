//! The engine on a graphics card, where there is one; software Vulkan is one as well.

use std::io::{self, Write};

use super::assert_same_way;
use crate::device::{DeviceError, DeviceKind};

#[test]
fn a_graphics_card_takes_the_way_of_the_other_engines() {
    let card = match DeviceKind::Wgpu.open() {
        Ok(card) => card,
        Err(DeviceError::NoAdapter(reason)) => {
            // Past the test harness, which shows what a test prints only if it fails: nobody shall take a test that did
            // nothing for one that passed.
            let _ = writeln!(io::stderr(), "the test of the graphics card does nothing: {reason}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    assert_same_way(&[card]);
}

//! Shows a person how a download goes on.

use console::Progress;

use crate::download::Event;

/// Turns the events of [`crate::ensure`] into lines and a progress bar on stderr.
#[derive(Default)]
pub struct DownloadDisplay {
    /// The file that is arriving, and its bar.
    arriving: Option<(String, Progress)>,
}

impl DownloadDisplay {
    /// Shows one event.
    pub fn show(&mut self, event: Event<'_>) {
        match event {
            Event::Note(text) => self.say(text),
            Event::Published { file, source } => self.say(&format!("`{file}` verified, from {source}")),
            Event::Arriving {
                file,
                n_bytes,
                n_bytes_total,
            } => {
                let Some(n_bytes_total) = n_bytes_total else { return };
                if self.arriving.as_ref().is_none_or(|(name, _)| name != file) {
                    self.arriving = Some((file.to_owned(), Progress::start(file, n_bytes_total, "bytes")));
                }
                if let Some((_, progress)) = &mut self.arriving {
                    progress.set(n_bytes);
                }
            }
        }
    }

    /// A line takes the place of the bar, if there is one.
    fn say(&mut self, text: &str) {
        match self.arriving.take() {
            Some((_, progress)) => progress.finish(text),
            None => console::say(text),
        }
    }
}

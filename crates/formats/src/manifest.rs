//! The application manifest.

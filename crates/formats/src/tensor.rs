//! Tensors in request bodies.

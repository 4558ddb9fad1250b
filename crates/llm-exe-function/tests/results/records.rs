//! Records: each ends once.

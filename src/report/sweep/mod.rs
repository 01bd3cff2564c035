//! The map of a parameter: for a person, as a picture, for a program.

mod human;
mod json;
mod svg;
mod view;

pub use human::human;
pub use json::json;
pub use svg::svg;

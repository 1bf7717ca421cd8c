pub(crate) mod hazards;
pub(crate) mod hidden_characters;
pub(crate) mod nearest;

pub(crate) mod causes;
pub(crate) mod client;
pub(crate) mod connections;
pub(crate) mod pace;

pub(crate) mod configured;
pub(crate) mod regions;
pub(crate) mod stored;

pub(crate) mod browser;
pub(crate) mod device_code;
pub(crate) mod pkce;
pub(crate) mod qr_code;

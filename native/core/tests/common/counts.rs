/// How many cases a test takes: all of them where `SSO_TEST_FULL` is set, else a tenth.
#[allow(clippy::disallowed_methods, reason = "this one is for whoever runs the tests")]
pub(crate) fn cases(all: u32) -> u32 {
    std::env::var_os("SSO_TEST_FULL").map_or_else(|| all.div_ceil(10), |_| all)
}

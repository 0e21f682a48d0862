#![no_main]

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    tollgate_fuzz::json_mutation::reply(data, size, max_size, seed)
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::gemini_decoder::check(data));

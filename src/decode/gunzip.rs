//! One gzip member through libdeflate, telling how much of the input it was.
#![expect(
    unsafe_code,
    reason = "the safe wrapper of libdeflate does not return the consumed length, so a second member would vanish"
)]

use std::ptr::NonNull;

use libdeflate_sys as sys;

/// Why a member could not be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberError {
    /// The output space is too small.
    NoSpace,
    /// The stream is damaged, cut off, or its checksum is wrong.
    Damaged,
}

/// A libdeflate decompressor.
pub(crate) struct Gunzip(Option<NonNull<sys::libdeflate_decompressor>>);

// SAFETY: the decompressor is plain memory without ties to a thread, and `&mut self` keeps its use exclusive.
unsafe impl Send for Gunzip {}

impl Default for Gunzip {
    fn default() -> Self {
        // SAFETY: the call has no preconditions; null means that memory ran out.
        Self(NonNull::new(unsafe { sys::libdeflate_alloc_decompressor() }))
    }
}

impl Gunzip {
    /// Inflates the member at the start of `stored` into `out`: (bytes consumed, bytes produced).
    pub(crate) fn member(&mut self, stored: &[u8], out: &mut [u8]) -> Result<(usize, usize), MemberError> {
        let Some(decompressor) = self.0 else { return Err(MemberError::NoSpace) };
        let mut consumed = 0;
        let mut produced = 0;
        // SAFETY: the pointers and lengths are those of live slices, the decompressor is not null and not shared.
        let result = unsafe {
            sys::libdeflate_gzip_decompress_ex(
                decompressor.as_ptr(),
                stored.as_ptr().cast(),
                stored.len(),
                out.as_mut_ptr().cast(),
                out.len(),
                &raw mut consumed,
                &raw mut produced,
            )
        };
        match result {
            sys::libdeflate_result_LIBDEFLATE_SUCCESS => Ok((consumed, produced)),
            sys::libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => Err(MemberError::NoSpace),
            _ => Err(MemberError::Damaged),
        }
    }
}

impl Drop for Gunzip {
    fn drop(&mut self) {
        if let Some(decompressor) = self.0 {
            // SAFETY: it came from `libdeflate_alloc_decompressor` and is freed once.
            unsafe { sys::libdeflate_free_decompressor(decompressor.as_ptr()) }
        }
    }
}

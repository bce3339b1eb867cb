//! SQLite's interface for file systems, in front of the real one: the only unsafe code here.
//!
//! It becomes the default, so that a connection needs no other URL than in production. Files of a
//! mounted database go to its [`Disk`](crate::Disk); every other file goes to the real file system.
//! Nothing is decided here: each function turns C's arguments into Rust's and calls [`Handle`].
#![expect(
    unsafe_code,
    reason = "SQLite's interface for file systems exists only in C; test-only"
)]
#![deny(unsafe_op_in_unsafe_fn)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;

use libsqlite3_sys as ffi;

use crate::disk::Handle;
use crate::mount;

/// The name under which it is registered.
const NAME: &CStr = c"agentspace-disk";

/// What SQLite allocates for one of our open files.
#[repr(C)]
struct OpenFile {
    base: ffi::sqlite3_file,
    handle: *mut Handle,
}

/// The file system that was the default before.
struct Real(*mut ffi::sqlite3_vfs);

// SAFETY: SQLite's own file systems live as long as the process, are never changed after they are
// registered, and may be called from any thread.
unsafe impl Send for Real {}
// SAFETY: as above.
unsafe impl Sync for Real {}

static REAL: OnceLock<Real> = OnceLock::new();

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Makes this the file system of every connection that is opened from now on; may be repeated.
pub(crate) fn install() {
    REAL.get_or_init(|| {
        // SAFETY: a null name asks for the default, which exists on every system that SQLite is
        // built for here; the call initialises SQLite where nobody has yet.
        let real = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
        assert!(!real.is_null(), "SQLite has no default file system");
        // SAFETY: it is not null, and SQLite keeps it valid and unchanged.
        let mut ours = unsafe { *real };
        let size = c_int::try_from(size_of::<OpenFile>()).expect("a few words");
        ours.szOsFile = ours.szOsFile.max(size);
        ours.pNext = ptr::null_mut();
        ours.zName = NAME.as_ptr();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        ours.xAccess = Some(access);
        let ours = Box::leak(Box::new(ours));
        // SAFETY: the structure is never freed, and all that it points to lives as long.
        let code = unsafe { ffi::sqlite3_vfs_register(ours, 1) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite takes no other file system");
        Real(real)
    });
}

fn real() -> *mut ffi::sqlite3_vfs {
    REAL.get().expect("installed before SQLite calls it").0
}

/// A path as SQLite gives it.
///
/// # Safety
///
/// `name` is null, or a text that ends with NUL and lives as long as the answer.
unsafe fn path<'a>(name: *const c_char) -> Option<&'a Path> {
    if name.is_null() {
        return None;
    }
    // SAFETY: the caller promises it.
    let name = unsafe { CStr::from_ptr(name) };
    name.to_str().ok().map(Path::new)
}

fn code(done: Result<(), c_int>) -> c_int {
    done.err().unwrap_or(ffi::SQLITE_OK)
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes null or a text that it keeps while the file is open.
    let found = unsafe { path(name) }.and_then(mount::find);
    let Some((disk, name_on_disk)) = found else {
        let real = real();
        // SAFETY: it was copied from SQLite, which filled it in; `file` has room for its structure,
        // because the larger of both sizes is asked for.
        return unsafe {
            match (*real).xOpen {
                Some(open) => open(real, name, file, flags, out),
                None => ffi::SQLITE_CANTOPEN,
            }
        };
    };
    let file = file.cast::<OpenFile>();
    // SAFETY: SQLite passes room for `szOsFile` bytes, aligned for any structure. Without methods
    // SQLite does not close what was not opened.
    unsafe { (*file).base.pMethods = ptr::null() };
    match disk.open(name_on_disk, flags & ffi::SQLITE_OPEN_CREATE != 0) {
        Ok(handle) => {
            // SAFETY: as above; the handle is taken back by `close`.
            unsafe {
                (*file).handle = Box::into_raw(Box::new(handle));
                (*file).base.pMethods = &raw const METHODS;
            }
            if !out.is_null() {
                // SAFETY: SQLite passes null or a place for an int.
                unsafe { *out = flags };
            }
            ffi::SQLITE_OK
        }
        Err(refused) => refused,
    }
}

unsafe extern "C" fn delete(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    sync_directory: c_int,
) -> c_int {
    // SAFETY: SQLite passes a text that is valid during the call.
    match unsafe { path(name) }.and_then(mount::find) {
        Some((disk, name)) => code(disk.delete(name, sync_directory != 0)),
        None => {
            let real = real();
            // SAFETY: the real one gets what it would have got without us.
            unsafe {
                match (*real).xDelete {
                    Some(delete) => delete(real, name, sync_directory),
                    None => ffi::SQLITE_IOERR_DELETE,
                }
            }
        }
    }
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes a text that is valid during the call.
    match unsafe { path(name) }.and_then(mount::find) {
        Some((disk, name)) => {
            // SAFETY: SQLite passes a place for an int.
            unsafe { *out = c_int::from(disk.has(name)) };
            ffi::SQLITE_OK
        }
        None => {
            let real = real();
            // SAFETY: the real one gets what it would have got without us.
            unsafe {
                match (*real).xAccess {
                    Some(access) => access(real, name, flags, out),
                    None => ffi::SQLITE_IOERR_ACCESS,
                }
            }
        }
    }
}

/// The handle of a file that `open` has opened.
///
/// # Safety
///
/// `file` was opened by `open` and is not closed before the answer is dropped.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a Handle {
    // SAFETY: the caller promises it; only `close` frees the handle.
    unsafe { &*(*file.cast::<OpenFile>()).handle }
}

fn place(offset: ffi::sqlite3_int64) -> usize {
    usize::try_from(offset).expect("SQLite asks for no place before the beginning")
}

fn length(bytes: c_int) -> usize {
    usize::try_from(bytes).expect("SQLite asks for no negative length")
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let file = file.cast::<OpenFile>();
    // SAFETY: SQLite closes a file once, and the handle came from `Box::into_raw`.
    drop(unsafe { Box::from_raw((*file).handle) });
    // SAFETY: the room is still SQLite's.
    unsafe { (*file).base.pMethods = ptr::null() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    bytes: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes a file of ours, and room for so many bytes that nobody else uses.
    let (handle, buffer) = unsafe {
        ptr::write_bytes(buffer.cast::<u8>(), 0, length(bytes));
        let buffer = std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length(bytes));
        (handle(file), buffer)
    };
    code(handle.read(buffer, place(offset)))
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    bytes: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes a file of ours, and so many bytes that nobody changes meanwhile.
    let (handle, data) = unsafe {
        let data = std::slice::from_raw_parts(data.cast::<u8>(), length(bytes));
        (handle(file), data)
    };
    code(handle.write(data, place(offset)))
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes a file of ours.
    code(unsafe { handle(file) }.truncate(place(size)))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite passes a file of ours.
    code(unsafe { handle(file) }.sync())
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes a file of ours, and a place for the answer.
    let size = unsafe { handle(file) }.size();
    // SAFETY: as above.
    unsafe { *out = ffi::sqlite3_int64::try_from(size).expect("it is in memory") };
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite passes a file of ours.
    code(unsafe { handle(file) }.lock(level))
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite passes a file of ours.
    unsafe { handle(file) }.unlock(level);
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite passes a file of ours, and a place for an int.
    unsafe { *out = c_int::from(handle(file).is_reserved()) };
    ffi::SQLITE_OK
}

/// Every request is refused, which SQLite takes for "nothing special here"; but a device that is
/// told to turns `PRAGMA synchronous = FULL` into `OFF` on its way.
unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    operation: c_int,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: SQLite passes a file of ours.
    let handle = unsafe { handle(file) };
    if operation == ffi::SQLITE_FCNTL_PRAGMA && handle.turns_synchronous_off() {
        let parts = argument.cast::<*mut c_char>();
        // SAFETY: SQLite passes three texts, of which the second is the name and the third, which
        // may be null, a value in memory of its own that it reads only after this call.
        let (name, value) = unsafe { (*parts.add(1), *parts.add(2)) };
        // SAFETY: as above; neither is null, and each ends with NUL.
        let is_asked = !value.is_null()
            && unsafe {
                CStr::from_ptr(name).to_bytes() == b"synchronous"
                    && CStr::from_ptr(value).to_bytes().len() >= 3
            };
        if is_asked {
            // SAFETY: the value has room for three letters and its NUL.
            unsafe { ptr::copy_nonoverlapping(c"OFF".as_ptr(), value, 4) };
        }
    }
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite passes a file of ours.
    unsafe { handle(file) }.characteristics()
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite passes a file of ours.
    let mapped = unsafe { handle(file) }.map(length(region), length(size), extend != 0);
    let (pointer, code) = match mapped {
        Ok(Some(pointer)) => (pointer.as_ptr().cast(), ffi::SQLITE_OK),
        Ok(None) => (ptr::null_mut(), ffi::SQLITE_OK),
        Err(refused) => (ptr::null_mut(), refused),
    };
    // SAFETY: SQLite passes a place for a pointer.
    unsafe { *out = pointer };
    code
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    let slots = length(first)..length(first) + length(count);
    // SAFETY: SQLite passes a file of ours.
    code(unsafe { handle(file) }.lock_shared(slots, flags))
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite passes a file of ours, and uses none of its regions from now on.
    unsafe { handle(file) }.unmap();
    ffi::SQLITE_OK
}

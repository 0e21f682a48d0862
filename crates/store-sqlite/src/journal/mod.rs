//! The intent journal: what was about to be sent upstream, in append-only files beside the database (I8).
//!
//! A written record survives the death of the process, because the page cache does; the writer flushes
//! it to the disk every so often for the death of the machine. The database holds finished rows only.

mod record;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tollgate_store::{Intent, StoreError};

use crate::fault;

/// How the files begin; the segment's number follows.
const PREFIX: &str = "ledger.intents-";

/// Bytes that a thread keeps for encoding, however large a record was.
const LARGEST_KEPT: usize = 16 << 10;

/// The segments that are being written.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    /// Length at which a segment is left for a new one.
    limit: u64,
    /// `None` after a failure, or before the first record.
    current: Option<Segment>,
    next: u64,
    /// Intents without a committed row, by segment.
    live: BTreeMap<u64, usize>,
    /// Files with records that may not be on the disk yet.
    unsynced: Vec<Arc<File>>,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    file: Arc<File>,
    /// Bytes of whole records.
    length: u64,
    unsynced: bool,
}

impl Journal {
    /// Begins with a new segment behind those that exist.
    pub(crate) fn begin(folder: &Path, limit: u64) -> Result<Self, StoreError> {
        let next = segments(folder)?.last().map_or(1, |(number, _)| number + 1);
        let mut journal = Self {
            folder: folder.to_owned(),
            limit,
            current: None,
            next,
            live: BTreeMap::new(),
            unsynced: Vec::new(),
        };
        journal.segment(0)?;
        Ok(journal)
    }

    /// Encodes an intent, outside the lock, into memory that is used again.
    pub(crate) fn encoded<T>(intent: &Intent, append: impl FnOnce(&[u8]) -> T) -> T {
        thread_local! {
            static RECORD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
        }
        let mut record = RECORD.take();
        record::encode(intent, &mut record);
        let result = append(&record);
        record.shrink_to(LARGEST_KEPT);
        RECORD.set(record);
        result
    }

    /// Appends one record by one call and returns the number of its segment.
    ///
    /// # Errors
    /// When the disk refuses; the journal is then as it was before.
    pub(crate) fn append(&mut self, record: &[u8]) -> Result<u64, StoreError> {
        let number = self.write(record)?;
        *self.live.entry(number).or_default() += 1;
        Ok(number)
    }

    /// Finds out whether the disk takes bytes again.
    pub(crate) fn probe(&mut self) -> Result<(), StoreError> {
        self.write(&record::padding(4096)).map(|_| ())
    }

    fn write(&mut self, record: &[u8]) -> Result<u64, StoreError> {
        let segment = self.segment(u64::try_from(record.len()).unwrap_or(u64::MAX))?;
        let number = segment.number;
        let written = match (&*segment.file).write(record) {
            Ok(count) if count == record.len() => Ok(()),
            Ok(_) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => {
                segment.length += u64::try_from(record.len()).unwrap_or(0);
                if !std::mem::replace(&mut segment.unsynced, true) {
                    let file = Arc::clone(&segment.file);
                    self.unsynced.push(file);
                }
                Ok(number)
            }
            Err(error) => {
                // Half a record would hide the ones behind it. When it cannot be cut off, nothing may follow.
                let cut = segment.file.set_len(segment.length);
                if cut.is_err() {
                    self.current = None;
                }
                Err(fault::file("append to", &path_of(&self.folder, number), &error))
            }
        }
    }

    /// The segment to write `more` bytes to.
    fn segment(&mut self, more: u64) -> Result<&mut Segment, StoreError> {
        let full =
            self.current.as_ref().is_some_and(|segment| segment.length.saturating_add(more) > self.limit);
        if full {
            self.current = None;
        }
        match self.current {
            Some(ref mut segment) => Ok(segment),
            None => {
                let segment = self.create()?;
                Ok(self.current.insert(segment))
            }
        }
    }

    fn create(&mut self) -> Result<Segment, StoreError> {
        let number = self.next;
        let path = path_of(&self.folder, number);
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let made = options.open(&path).and_then(|file| match (&file).write(record::MAGIC) {
            Ok(count) if count == record::MAGIC.len() => Ok(file),
            Ok(_) => Err(io::ErrorKind::StorageFull.into()),
            Err(error) => Err(error),
        });
        match made {
            Ok(file) => {
                self.next += 1;
                // The new name is flushed with the first records. Where folders cannot be opened, there is nothing to do.
                self.unsynced.extend(File::open(&self.folder).ok().map(Arc::new));
                let length = u64::try_from(record::MAGIC.len()).unwrap_or(0);
                Ok(Segment { number, file: Arc::new(file), length, unsynced: false })
            }
            Err(error) => {
                // A file without its beginning must not stand in the way of the next try.
                if error.kind() == io::ErrorKind::AlreadyExists {
                    self.next += 1;
                } else {
                    let _ = fs::remove_file(&path);
                }
                Err(fault::file("create", &path, &error))
            }
        }
    }

    /// Files to be flushed; the caller does it without holding the journal.
    pub(crate) fn take_unsynced(&mut self) -> Vec<Arc<File>> {
        if let Some(segment) = &mut self.current {
            segment.unsynced = false;
        }
        std::mem::take(&mut self.unsynced)
    }

    /// Says that so many intents of a segment have their rows on disk.
    pub(crate) fn settled(&mut self, number: u64, count: usize) {
        if let Some(live) = self.live.get_mut(&number) {
            *live = live.saturating_sub(count);
        }
    }

    /// Segments that nothing needs any more; the caller removes them without holding the journal.
    pub(crate) fn take_finished(&mut self) -> Vec<PathBuf> {
        let current = self.current.as_ref().map(|segment| segment.number);
        let finished: Vec<u64> = self
            .live
            .iter()
            .filter(|(number, live)| **live == 0 && Some(**number) != current)
            .map(|(number, _)| *number)
            .collect();
        finished
            .into_iter()
            .map(|number| {
                self.live.remove(&number);
                path_of(&self.folder, number)
            })
            .collect()
    }

    /// Ends the journal; all segments without open intents are removed.
    pub(crate) fn end(&mut self) -> Vec<PathBuf> {
        if let Some(segment) = self.current.take() {
            self.live.entry(segment.number).or_default();
        }
        self.unsynced.clear();
        self.take_finished()
    }
}

/// Removes segments. One that cannot be removed is read again at the next start, which changes nothing.
pub(crate) fn remove(paths: &[PathBuf]) {
    for path in paths {
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!(file = %path.display(), %error, "a finished journal segment could not be removed");
        }
    }
}

/// The existing segments and their intents, oldest first.
pub(crate) fn read(folder: &Path) -> Result<(Vec<PathBuf>, Vec<Intent>), StoreError> {
    let (mut paths, mut intents) = (Vec::new(), Vec::new());
    for (_, path) in segments(folder)? {
        let bytes = fs::read(&path).map_err(|error| fault::file("read", &path, &error))?;
        let parsed = record::parse(&bytes);
        if parsed.torn > 0 {
            tracing::warn!(file = %path.display(), bytes = parsed.torn, "the journal ends in a torn record");
        }
        intents.extend(parsed.intents);
        paths.push(path);
    }
    Ok((paths, intents))
}

fn segments(folder: &Path) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let list = || -> io::Result<Vec<(u64, PathBuf)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(number) = name.and_then(|name| name.strip_prefix(PREFIX)).and_then(|n| n.parse().ok())
            {
                found.push((number, path));
            }
        }
        found.sort();
        Ok(found)
    };
    list().map_err(|error| fault::file("list", folder, &error))
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{PREFIX}{number}"))
}

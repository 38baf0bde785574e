//! A long listing in little memory: some hundred thousand objects whose names share their folders.
//!
//! A [`LogObject`] of its own takes several hundred bytes; here it takes its file's name, its tag and 32 bytes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{LogObject, Place, local};

/// No size is known.
const UNKNOWN: u64 = u64::MAX;

/// One object; its file's name and its tag stand in `text`, one after the other.
#[derive(Debug, Clone, Copy)]
struct Slot {
    start: u64,
    size: u64,
    folder: u32,
    name: u32,
    etag: u16,
    /// Whether there is a tag, and whether the place is a bucket's. Other places are kept apart.
    tagged: bool,
    fed: bool,
}

/// Objects of a listing.
#[derive(Debug, Default)]
pub struct Names {
    folders: Vec<Box<str>>,
    /// The folder that an object was found in last, and those known.
    by_name: BTreeMap<Box<str>, u32>,
    last: u32,
    text: String,
    slots: Vec<Slot>,
    /// Places that are neither a file of the object's name nor a bucket.
    places: BTreeMap<u64, Place>,
}

impl Names {
    /// Adds an object.
    pub fn push(&mut self, object: LogObject) {
        let LogObject { name, place, size, etag } = object;
        let (folder, file) = name.split_at(name.rfind('/').map_or(0, |at| at + 1));
        let folder = self.folder(folder);
        let start = self.text.len() as u64;
        self.text.push_str(file);
        let tag = etag.as_deref().filter(|tag| u16::try_from(tag.len()).is_ok());
        self.text.push_str(tag.unwrap_or_default());
        let fed = place == Place::Fed;
        let slot = Slot {
            start,
            size: size.unwrap_or(UNKNOWN),
            folder,
            name: u32::try_from(file.len()).unwrap_or(u32::MAX),
            etag: tag.and_then(|tag| u16::try_from(tag.len()).ok()).unwrap_or(0),
            tagged: tag.is_some(),
            fed,
        };
        if self.text.len() as u64 == start {
            // Each start is one object's only.
            self.text.push('\n');
        }
        if !fed && place != Place::Named {
            self.places.insert(start, place);
        }
        self.slots.push(slot);
    }

    fn folder(&mut self, folder: &str) -> u32 {
        if self.folders.get(self.last as usize).is_some_and(|last| **last == *folder) {
            return self.last;
        }
        self.last = if let Some(known) = self.by_name.get(folder) {
            *known
        } else {
            let new = u32::try_from(self.folders.len()).unwrap_or(u32::MAX);
            self.folders.push(folder.into());
            self.by_name.insert(folder.into(), new);
            new
        };
        self.last
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The object at a place in the list.
    pub fn get(&self, at: usize) -> Option<LogObject> {
        let slot = self.slots.get(at)?;
        let (folder, file) = self.parts(slot);
        let mut name = String::with_capacity(folder.len() + file.len());
        name.push_str(folder);
        name.push_str(file);
        let place =
            if slot.fed { Place::Fed } else { self.places.get(&slot.start).cloned().unwrap_or(Place::Named) };
        let size = (slot.size != UNKNOWN).then_some(slot.size);
        let etag = slot.tagged.then(|| {
            let start = slot.start + u64::from(slot.name);
            self.slice(start, usize::from(slot.etag)).into()
        });
        Some(LogObject { name, place, size, etag })
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = LogObject> + '_ {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// Compares the name at a place in the list with another.
    pub fn compare(&self, at: usize, name: &str) -> Option<Ordering> {
        let (folder, file) = self.parts(self.slots.get(at)?);
        Some(match name.strip_prefix(folder) {
            Some(rest) => file.cmp(rest),
            None => folder.bytes().chain(file.bytes()).cmp(name.bytes()),
        })
    }

    /// Sorts by name and keeps each object once; with `linked` also each file that has several names.
    pub fn settle(&mut self, linked: bool) {
        let mut slots = std::mem::take(&mut self.slots);
        slots.sort_unstable_by(|a, b| self.order(a, b).then_with(|| self.place(a).cmp(&self.place(b))));
        slots.dedup_by(|a, b| self.order(a, b).is_eq() && self.place(a) == self.place(b));
        self.slots = slots;
        if linked {
            let mut objects: Vec<LogObject> = self.iter().collect();
            local::once(&mut objects);
            *self = Self::default();
            for object in objects {
                self.push(object);
            }
        }
    }

    fn place(&self, slot: &Slot) -> Place {
        if slot.fed {
            return Place::Fed;
        }
        self.places.get(&slot.start).cloned().unwrap_or(Place::Named)
    }

    fn order(&self, a: &Slot, b: &Slot) -> Ordering {
        let ((folder, file), (other, rest)) = (self.parts(a), self.parts(b));
        if a.folder == b.folder {
            return file.cmp(rest);
        }
        folder.bytes().chain(file.bytes()).cmp(other.bytes().chain(rest.bytes()))
    }

    fn parts(&self, slot: &Slot) -> (&str, &str) {
        let folder = self.folders.get(slot.folder as usize).map_or("", |folder| folder);
        (folder, self.slice(slot.start, slot.name as usize))
    }

    fn slice(&self, start: u64, length: usize) -> &str {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        self.text.get(start..start.saturating_add(length)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    fn objects() -> impl Strategy<Value = Vec<LogObject>> {
        let place = prop_oneof![
            Just(Place::Named),
            Just(Place::Fed),
            Just(Place::Stdin),
            "[a-c]".prop_map(Place::Unreachable),
            "[a-c]".prop_map(|path| Place::Path(PathBuf::from(path))),
        ];
        let one =
            ("[a-c/é\\-]{0,6}", place, proptest::option::of(0..9u64), proptest::option::of("[0-9a-f]{0,3}"));
        let one = one.prop_map(|(name, place, size, etag)| LogObject {
            name,
            place,
            size,
            etag: etag.map(Into::into),
        });
        proptest::collection::vec(one, 0..40)
    }

    proptest! {
        #[test]
        fn what_is_put_in_comes_out_in_the_order_of_names(objects in objects()) {
            let mut names = Names::default();
            for object in &objects {
                names.push(object.clone());
            }
            prop_assert_eq!(names.iter().collect::<Vec<_>>(), objects.clone());
            names.settle(false);
            let key = |object: &LogObject| (object.name.clone(), object.place.clone());
            let mut keys: Vec<_> = objects.iter().map(key).collect();
            keys.sort();
            keys.dedup();
            prop_assert_eq!(names.iter().map(|object| key(&object)).collect::<Vec<_>>(), keys.clone());
            for (at, (name, _)) in keys.iter().enumerate() {
                for (other, _) in &keys {
                    prop_assert_eq!(names.compare(at, other), Some(name.cmp(other)));
                }
            }
            prop_assert_eq!((names.get(keys.len()), names.is_empty()), (None, keys.is_empty()));
        }
    }
}

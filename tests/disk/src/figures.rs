//! What a campaign found, in numbers; and the first few failures in words.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::facts::Broken;

/// Failures that are told in words.
const TOLD: usize = 10;

/// Counted by many workers at once.
#[derive(Debug, Default)]
pub struct Figures {
    places: AtomicUsize,
    cuts: AtomicUsize,
    images: AtomicUsize,
    lives: AtomicUsize,
    lost: AtomicUsize,
    duplicated: AtomicUsize,
    corrupt: AtomicUsize,
    stuck: AtomicUsize,
    told: Mutex<Vec<String>>,
}

impl Figures {
    pub(crate) fn add_places(&self, places: usize) {
        self.places.fetch_add(places, Ordering::Relaxed);
    }

    pub(crate) fn add_cut(&self) {
        self.cuts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_image(&self) {
        self.images.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_life(&self) {
        self.lives.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn breaks(&self, broken: &Broken, place: &str) {
        let count = match broken {
            Broken::Lost(_) => &self.lost,
            Broken::Duplicated(_) => &self.duplicated,
            Broken::Corrupt(_) => &self.corrupt,
            Broken::Stuck(_) => &self.stuck,
        };
        count.fetch_add(1, Ordering::Relaxed);
        let mut told = self.told.lock().expect("no worker panics");
        if told.len() < TOLD {
            told.push(format!("{place}: {broken}"));
        }
    }

    /// Adds what another campaign found.
    pub fn add(&self, other: &Self) {
        for (mine, theirs) in self.counts().into_iter().zip(other.counts()) {
            mine.fetch_add(theirs.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        let mut told = self.told.lock().expect("no worker panics");
        told.extend(other.told.lock().expect("no worker panics").iter().cloned());
        told.truncate(TOLD);
    }

    fn counts(&self) -> [&AtomicUsize; 8] {
        [
            &self.places,
            &self.cuts,
            &self.images,
            &self.lives,
            &self.lost,
            &self.duplicated,
            &self.corrupt,
            &self.stuck,
        ]
    }

    /// At how many places the power was cut.
    pub fn places(&self) -> usize {
        self.places.load(Ordering::Relaxed)
    }

    /// How many cuts were judged.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }

    /// How many promises were broken.
    pub fn broken(&self) -> usize {
        let counts = [&self.lost, &self.duplicated, &self.corrupt, &self.stuck];
        counts
            .map(|count| count.load(Ordering::Relaxed))
            .iter()
            .sum()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [
            places,
            cuts,
            images,
            lives,
            lost,
            duplicated,
            corrupt,
            stuck,
        ] = self.counts().map(|count| count.load(Ordering::Relaxed));
        write!(
            f,
            "{places} places, {cuts} cuts, {images} images, {lives} lives: {lost} lost, \
             {duplicated} duplicated, {corrupt} corrupt, {stuck} stuck"
        )?;
        for told in self.told.lock().expect("no worker panics").iter() {
            write!(f, "\n  {told}")?;
        }
        Ok(())
    }
}

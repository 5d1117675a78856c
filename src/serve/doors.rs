//! Who stands at a door, so that one address can't fill it: connections that have not come in yet, connections that have,
//! and wrong passwords. Both ports have doors of their own and count wrong passwords together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) all: usize,
    pub(crate) of_one_address: usize,
}

/// The connections of one kind, by address. A client on this machine shares its address with all others there.
pub(crate) struct Doors {
    room: Room,
    inside: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection's place; given back when it is dropped.
pub(crate) struct Place {
    doors: Arc<Doors>,
    address: IpAddr,
}

impl Doors {
    pub(crate) fn new(room: Room) -> Arc<Self> {
        Arc::new(Self { room, inside: Mutex::default() })
    }

    /// A place, if there is room for one more of that address.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.values().sum::<usize>() >= self.room.all {
            return None;
        }
        let of_address = inside.entry(address).or_default();
        if *of_address >= self.room.of_one_address {
            return None;
        }
        *of_address += 1;
        drop(inside);
        Some(Place { doors: Arc::clone(self), address })
    }

    #[cfg(test)]
    fn count(&self) -> usize {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.doors.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_address) = inside.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                inside.remove(&self.address);
            }
        }
    }
}

/// Addresses whose wrong passwords are remembered.
const ADDRESSES_MAX: usize = 10_000;

/// After so long without one, they are forgotten.
const REMEMBERED: Duration = Duration::from_mins(10);

/// What a wrong password costs; as much again for each before it.
const DELAY: Duration = Duration::from_secs(1);
const DELAY_MAX: Duration = Duration::from_secs(8);

/// Wrong passwords, by address.
#[derive(Default)]
pub(crate) struct WrongPasswords(Mutex<HashMap<IpAddr, (u32, Instant)>>);

impl WrongPasswords {
    /// Remembers one, and tells how long its answer is to wait.
    pub(crate) fn another(&self, address: IpAddr) -> Duration {
        let now = Instant::now();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ADDRESSES_MAX {
            known.retain(|_, (_, last)| now - *last < REMEMBERED);
        }
        // Of more addresses than that none is new: whoever has so many is slowed down as one.
        let address = if known.len() >= ADDRESSES_MAX && !known.contains_key(&address) {
            IpAddr::from([0, 0, 0, 0])
        } else {
            address
        };
        let (count, last) = known.entry(address).or_insert((0, now));
        if now - *last >= REMEMBERED {
            *count = 0;
        }
        *count = count.saturating_add(1);
        *last = now;
        (DELAY * *count).min(DELAY_MAX)
    }

    /// The right one came.
    pub(crate) fn forget(&self, address: IpAddr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn one_address_leaves_room_for_another() {
        let doors = Doors::new(Room { all: 3, of_one_address: 2 });
        let first: Vec<Place> = (0..2).map(|_| doors.enter(HERE).expect("room")).collect();
        assert!(doors.enter(HERE).is_none());
        let other = doors.enter(THERE).expect("room for another");
        assert!(doors.enter(THERE).is_none(), "the house is full");
        assert_eq!(doors.count(), 3);
        drop(first);
        assert!(doors.enter(HERE).is_some());
        drop(other);
        assert_eq!(doors.count(), 0);
    }

    #[test]
    fn each_wrong_password_of_an_address_costs_more() {
        let wrong = WrongPasswords::default();
        let waits: Vec<u64> = (0..10).map(|_| wrong.another(HERE).as_secs()).collect();
        assert_eq!(waits, [1, 2, 3, 4, 5, 6, 7, 8, 8, 8]);
        assert_eq!(wrong.another(THERE).as_secs(), 1);
        wrong.forget(HERE);
        assert_eq!(wrong.another(HERE).as_secs(), 1);
    }
}

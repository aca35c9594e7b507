//! Two conversations as people would have them: who writes what to whom, in answer to what.

use crate::harness::fault::Dice;

const PEOPLE: [&str; 5] = ["cust", "bob", "ann", "zoe", "dan"];
/// Mails of one conversation: enough for a mail to refer to more than it may claim (4), few enough for every claim to
/// fit (8 on an id).
const MAILS_MAX: usize = 8;

/// What mail programs do with threading headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clients {
    /// In-Reply-To and all of References.
    KeepAll,
    /// Each mail's program drops References, In-Reply-To, or nothing.
    DropSome,
}

/// One mail, in bare words: names and people carry the run's label when it is written.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// `a0`, `a1`, ... of the one conversation, `b0`, ... of the other.
    pub(super) name: String,
    pub(super) author: &'static str,
    pub(super) to: Vec<String>,
    pub(super) in_reply_to: Vec<String>,
    pub(super) references: Vec<String>,
    pub(super) minutes: i64,
    /// Further copies: at another door as it is, or through a list that marks the subject and adds a footer.
    pub(super) copies: Vec<Again>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    SameOctets,
    OtherDoor,
    ThroughList,
}

#[derive(Clone, Debug)]
pub(super) struct Telling {
    pub(super) mails: Vec<Told>,
    /// Every mail names all who ever write.
    pub(super) closed_circle: bool,
    /// The desk resolves the ticket when the first mail has come: who answers reopens it.
    pub(super) resolved_early: bool,
}

impl Telling {
    pub(super) fn new(dice: &mut Dice, clients: Clients) -> Self {
        let closed_circle = dice.roll(2) == 0;
        let resolved_early = dice.roll(3) == 0;
        let mut mails = one("a", dice, clients, closed_circle);
        mails.extend(one("b", dice, clients, closed_circle));
        Self { mails, closed_circle, resolved_early }
    }

    /// The mails that open the conversations.
    pub(super) fn firsts(&self) -> Vec<String> {
        vec!["a0".to_owned(), "b0".to_owned()]
    }
}

fn one(name: &str, dice: &mut Dice, clients: Clients, closed_circle: bool) -> Vec<Told> {
    let circle = 2 + dice.roll(PEOPLE.len() - 1);
    let everybody = PEOPLE.get(..circle).unwrap();
    let mut mails: Vec<Told> = Vec::new();
    for n in 0..=dice.roll(MAILS_MAX - 1) {
        // Mostly the newest is answered: long chains are where headers get lost.
        let answered = if dice.roll(4) > 0 { n.saturating_sub(1) } else { dice.roll(n.max(1)) };
        let parent = mails.get(answered).cloned();
        let author = match &parent {
            // Who was written to answers; or the author writes once more.
            Some(parent) => {
                let mut known: Vec<&str> = parent.to.iter().map(String::as_str).chain([parent.author]).collect();
                known.retain(|who| PEOPLE.contains(who));
                let who = known[dice.roll(known.len())];
                PEOPLE.into_iter().find(|person| *person == who).unwrap()
            }
            None => everybody[dice.roll(circle)],
        };
        let mut to: Vec<String> = match &parent {
            _ if closed_circle => everybody.iter().map(|who| (*who).to_owned()).collect(),
            Some(parent) if dice.roll(4) > 0 => parent.to.iter().cloned().chain([parent.author.to_owned()]).collect(),
            Some(parent) => vec![parent.author.to_owned()],
            None => everybody.iter().take(1 + dice.roll(circle)).map(|who| (*who).to_owned()).collect(),
        };
        to.retain(|who| who != author);
        if dice.roll(4) == 0 {
            to.push(format!("new{name}{n}"));
        }
        let all: Vec<String> =
            parent.iter().flat_map(|parent| parent.references.iter().cloned().chain([parent.name.clone()])).collect();
        let nearest: Vec<String> = parent.iter().map(|parent| parent.name.clone()).collect();
        let (in_reply_to, references) = match (clients, dice.roll(4)) {
            (Clients::DropSome, 0) => (nearest, Vec::new()),
            (Clients::DropSome, 1) => (Vec::new(), all),
            (Clients::DropSome, 2) => (Vec::new(), Vec::new()),
            _ => (nearest, all),
        };
        let again = [Again::SameOctets, Again::OtherDoor, Again::ThroughList];
        let copies = again.into_iter().filter(|_| dice.roll(5) == 0).collect();
        let minutes = i64::try_from(n).unwrap() + 1;
        mails.push(Told { name: format!("{name}{n}"), author, to, in_reply_to, references, minutes, copies });
    }
    mails
}

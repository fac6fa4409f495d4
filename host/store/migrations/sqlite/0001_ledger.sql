-- The whole schema. Times are milliseconds since 1970 in UTC; ids are prefixed UUIDv7 as text; JSON is text. Nothing here
-- that PostgreSQL could not do: its own file of the same number differs in types only.
--
-- Personal data stands in two tables: `identities` and `bodies`. Everything else refers to them by id.

-- Inbox -------------------------------------------------------------------------------------------------------------

-- One row a request that was accepted, or kept unverified because nobody could judge it yet.
CREATE TABLE deliveries (
    id              TEXT    NOT NULL PRIMARY KEY,
    shop            TEXT    NOT NULL,
    adapter         TEXT    NOT NULL,
    -- webhook | backfill | operator
    origin          TEXT    NOT NULL,
    -- parked: kept unverified | queued: waits for its turn | waiting: waits for a person
    -- done | ignored: nothing to do | rejected: makes no sense | refused: parked, and not authentic after all
    -- failed: every try was used up
    state           TEXT    NOT NULL,
    -- Has an adapter found it authentic? What never was is judged before it is handled, whatever else happened to it.
    verified        INTEGER NOT NULL,
    topic           TEXT    NOT NULL,
    -- The lane. No two deliveries of one shop and subject are handled at the same time.
    subject         TEXT,
    -- An id that the signature covers.
    dedupe_key      TEXT,
    body_sha256     BLOB    NOT NULL,
    body_bytes      INTEGER NOT NULL,
    received_at     INTEGER NOT NULL,
    occurred_at     INTEGER,
    -- Tries that count. Waiting for a person, or for an adapter, uses none up.
    attempts        INTEGER NOT NULL DEFAULT 0,
    -- When it is to be looked at next; nothing where it needs no more looking at.
    due_at          INTEGER,
    -- What the last try came to, for those that did not end well.
    problem_code    TEXT,
    problem_message TEXT,
    finished_at     INTEGER,
    -- When path, query, headers and body were blanked, because the shop asked that what it is about be forgotten.
    blanked_at      INTEGER,
    -- The delivery that this one repeats at a person's wish.
    repeats         TEXT REFERENCES deliveries (id)
);
CREATE UNIQUE INDEX deliveries_by_key ON deliveries (shop, dedupe_key, body_sha256) WHERE dedupe_key IS NOT NULL;
-- By shop, so that what one shop has left to do costs the others nothing to pass over.
CREATE INDEX deliveries_due ON deliveries (shop, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_by_shop ON deliveries (shop, id);
CREATE INDEX deliveries_by_state ON deliveries (state, id);

-- The request itself, redacted as soon as nobody has to judge it any more. Headers are a JSON array of [name, value]; `headers` and `body` are compressed as one block each
-- where `encoding` says so.
CREATE TABLE bodies (
    delivery_id TEXT NOT NULL PRIMARY KEY REFERENCES deliveries (id),
    method      TEXT NOT NULL,
    path        TEXT NOT NULL,
    query       TEXT NOT NULL,
    -- plain | lz4
    encoding    TEXT NOT NULL,
    headers     BLOB NOT NULL,
    body        BLOB NOT NULL
);

-- Subjects of which a shop asked that what is stored of its requests be blanked: of those that came until then.
CREATE TABLE forgotten (
    shop        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    -- The delivery that asked last.
    delivery_id TEXT    NOT NULL REFERENCES deliveries (id),
    PRIMARY KEY (shop, subject)
);
CREATE INDEX deliveries_by_subject ON deliveries (shop, subject) WHERE subject IS NOT NULL;

-- Who handles a subject at present. Every claim is stamped with an id of its own; one that is no longer here may not commit.
CREATE TABLE lanes (
    shop         TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    claim        TEXT    NOT NULL,
    leased_until INTEGER NOT NULL,
    PRIMARY KEY (shop, subject)
);

-- One run of an adapter.
CREATE TABLE attempts (
    id              TEXT    NOT NULL PRIMARY KEY,
    delivery_id     TEXT    NOT NULL REFERENCES deliveries (id),
    number          INTEGER NOT NULL,
    adapter         TEXT    NOT NULL,
    adapter_version TEXT    NOT NULL,
    adapter_sha256  TEXT    NOT NULL,
    started_at      INTEGER NOT NULL,
    ended_at        INTEGER NOT NULL,
    -- done | ignored | rejected | retry | waiting | failed | refused | authentic: it had been parked
    outcome         TEXT    NOT NULL,
    problem_code    TEXT,
    problem_message TEXT,
    guest_micros    INTEGER NOT NULL,
    peak_memory     INTEGER NOT NULL,
    -- JSON: what it ignored and why, and what it logged.
    notes           TEXT    NOT NULL
);
CREATE INDEX attempts_by_delivery ON attempts (delivery_id, id);

-- Ledger ------------------------------------------------------------------------------------------------------------

-- A learner as somebody wrote them down.
CREATE TABLE identities (
    id         TEXT    NOT NULL PRIMARY KEY,
    -- email | username | external
    kind       TEXT    NOT NULL,
    provider   TEXT    NOT NULL,
    written    TEXT    NOT NULL,
    normalized TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (kind, provider, normalized)
);

-- An LMS user. The address is not kept here.
CREATE TABLE accounts (
    id          TEXT    NOT NULL PRIMARY KEY,
    lms         TEXT    NOT NULL,
    lms_user_id INTEGER NOT NULL,
    username    TEXT    NOT NULL,
    -- active | retired
    state       TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    UNIQUE (lms, lms_user_id)
);

-- Which account an identity is, in each LMS.
CREATE TABLE resolutions (
    identity_id   TEXT    NOT NULL REFERENCES identities (id),
    lms           TEXT    NOT NULL,
    -- open: not looked up yet | waiting: no account yet | resolved | retired | unsupported
    state         TEXT    NOT NULL,
    account_id    TEXT REFERENCES accounts (id),
    -- lookup | person
    source        TEXT,
    -- Look-ups that found nothing.
    misses        INTEGER NOT NULL DEFAULT 0,
    -- Look-ups that failed since one was answered.
    failures      INTEGER NOT NULL DEFAULT 0,
    waiting_since INTEGER,
    -- When a person was told that they wait.
    told_at       INTEGER,
    -- When the LMS said that they have registered: from then on they are looked up often again.
    noticed_at    INTEGER,
    -- How often somebody said that it should be looked up now: whoever does sees whether that was meanwhile.
    wakes         INTEGER NOT NULL DEFAULT 0,
    -- When the account was found, or joined by a person. What a look-up found long ago is looked up again for new grants.
    found_at      INTEGER,
    due_at        INTEGER,
    leased_until  INTEGER,
    fence         INTEGER NOT NULL DEFAULT 0,
    problem       TEXT,
    PRIMARY KEY (identity_id, lms)
);
CREATE INDEX resolutions_due ON resolutions (lms, due_at) WHERE due_at IS NOT NULL;

-- Tries to register a learner in an LMS. Written down before the request; it counts by them how many there were of late.
CREATE TABLE registrations (
    id          TEXT    NOT NULL PRIMARY KEY,
    lms         TEXT    NOT NULL,
    identity_id TEXT    NOT NULL REFERENCES identities (id),
    username    TEXT    NOT NULL,
    tried_at    INTEGER NOT NULL,
    -- registered | found: the account was there after all | taken: the username was | refused: this learner
    -- closed: for everybody | limit: the LMS had enough of them | unsent | lost: nothing came of it
    -- Nothing: it is about to be, or may have been, sent.
    outcome     TEXT
);
CREATE INDEX registrations_by_time ON registrations (lms, tried_at);
CREATE INDEX registrations_by_identity ON registrations (identity_id, lms);

CREATE TABLE orders (
    id                TEXT    NOT NULL PRIMARY KEY,
    shop              TEXT    NOT NULL,
    external_id       TEXT    NOT NULL,
    number            TEXT,
    fingerprint       TEXT,
    -- Where it says that it was sold.
    origin            TEXT,
    placed_at         INTEGER,
    test              INTEGER NOT NULL,
    -- paid | unpaid | undecided
    payment           TEXT    NOT NULL,
    payment_revision  TEXT    NOT NULL,
    revision          TEXT    NOT NULL,
    -- Of the newest snapshot.
    snapshot_revision TEXT    NOT NULL,
    -- Decimal text.
    refunded_amount   TEXT,
    refunded_total    TEXT,
    refunded_currency TEXT,
    learner_id        TEXT REFERENCES identities (id),
    learner_malformed INTEGER NOT NULL,
    first_seen_at     INTEGER NOT NULL,
    changed_at        INTEGER NOT NULL,
    UNIQUE (shop, external_id)
);
CREATE INDEX orders_by_learner ON orders (learner_id);

CREATE TABLE lines (
    id                TEXT    NOT NULL PRIMARY KEY,
    order_id          TEXT    NOT NULL REFERENCES orders (id),
    external_id       TEXT    NOT NULL,
    revision          TEXT    NOT NULL,
    -- Does the shop still name it?
    present           INTEGER NOT NULL,
    title             TEXT,
    -- JSON: [{"kind":…,"id":…}], most exact first.
    products          TEXT    NOT NULL,
    -- JSON: course runs that the order itself names.
    courses           TEXT    NOT NULL,
    parent            TEXT,
    learner_id        TEXT REFERENCES identities (id),
    learner_malformed INTEGER NOT NULL,
    quantity          INTEGER NOT NULL,
    refunded_quantity INTEGER NOT NULL,
    until             INTEGER,
    -- Were its course runs looked for and found, or was it found to be no course? Then that stays so.
    pinned            INTEGER NOT NULL,
    -- Paid and free of holds, but no course run is known for it. Found again when the catalog changes.
    unmapped          INTEGER NOT NULL,
    UNIQUE (order_id, external_id)
);
CREATE INDEX lines_unmapped ON lines (order_id) WHERE unmapped = 1;
CREATE INDEX lines_by_learner ON lines (learner_id);

-- Why an order, or one line of it, gives no access. Lifted ones stay, with their revision.
CREATE TABLE holds (
    id         TEXT    NOT NULL PRIMARY KEY,
    order_id   TEXT    NOT NULL REFERENCES orders (id),
    line_id    TEXT REFERENCES lines (id),
    -- refunded | cancelled | deleted | disputed | operator
    cause      TEXT    NOT NULL,
    holds      INTEGER NOT NULL,
    evidence   TEXT    NOT NULL,
    revision   TEXT    NOT NULL,
    changed_at INTEGER NOT NULL
);
CREATE INDEX holds_by_order ON holds (order_id);

-- What people decided about an order or a line. Pinned: no later fact of the shop undoes it.
CREATE TABLE decisions (
    id           TEXT    NOT NULL PRIMARY KEY,
    order_id     TEXT    NOT NULL REFERENCES orders (id),
    line_id      TEXT REFERENCES lines (id),
    -- approved | lifted | seated | sells
    kind         TEXT    NOT NULL,
    -- Of a lifted one.
    cause        TEXT,
    -- Of a seated one.
    seat         INTEGER,
    identity_id  TEXT REFERENCES identities (id),
    -- Of one that sells: JSON array of [course run, mode].
    courses      TEXT,
    decided_by   TEXT    NOT NULL,
    why          TEXT    NOT NULL,
    decided_at   INTEGER NOT NULL,
    -- A newer decision about the same thing took its place, or a person withdrew it.
    withdrawn_at INTEGER
);
CREATE INDEX decisions_by_order ON decisions (order_id) WHERE withdrawn_at IS NULL;

-- The catalog of each shop. A row with an `ended_at` is history; one without a course run says that the product is no course.
CREATE TABLE catalog (
    id           TEXT    NOT NULL PRIMARY KEY,
    shop         TEXT    NOT NULL,
    product_kind TEXT    NOT NULL,
    product_id   TEXT    NOT NULL,
    course_run   TEXT,
    mode         TEXT,
    added_at     INTEGER NOT NULL,
    ended_at     INTEGER
);
CREATE UNIQUE INDEX catalog_current ON catalog (shop, product_kind, product_id, COALESCE(course_run, ''))
    WHERE ended_at IS NULL;

-- The course runs that a line sells, found once and kept.
CREATE TABLE pins (
    line_id    TEXT    NOT NULL REFERENCES lines (id),
    course_run TEXT    NOT NULL,
    mode       TEXT    NOT NULL,
    catalog_id TEXT REFERENCES catalog (id),
    pinned_at  INTEGER NOT NULL,
    PRIMARY KEY (line_id, course_run, mode)
);

-- Access owed by a line.
CREATE TABLE grants (
    id           TEXT    NOT NULL PRIMARY KEY,
    line_id      TEXT    NOT NULL REFERENCES lines (id),
    shop         TEXT    NOT NULL,
    lms          TEXT    NOT NULL,
    course_run   TEXT    NOT NULL,
    mode         TEXT    NOT NULL,
    -- Of several seats of one line, which; one seat is 1.
    seat         INTEGER NOT NULL,
    identity_id  TEXT    NOT NULL REFERENCES identities (id),
    -- Once known, for good.
    account_id   TEXT REFERENCES accounts (id),
    until        INTEGER,
    since        INTEGER NOT NULL,
    ended_at     INTEGER,
    -- JSON: code and parameters.
    ended_reason TEXT,
    -- When the LMS had given what it owes, since it began last.
    fulfilled_at INTEGER,
    -- The delivery that began or ended it last.
    delivery_id  TEXT REFERENCES deliveries (id)
);
CREATE UNIQUE INDEX grants_live ON grants (line_id, course_run, mode, seat) WHERE ended_at IS NULL;
CREATE INDEX grants_by_line ON grants (line_id);
-- For the brake.
CREATE INDEX grants_ended ON grants (shop, ended_at);
CREATE INDEX grants_by_identity ON grants (identity_id, lms);
-- Those that wait for an account.
CREATE INDEX grants_waiting ON grants (lms, identity_id) WHERE account_id IS NULL AND ended_at IS NULL;
CREATE INDEX grants_by_account ON grants (account_id, course_run);
CREATE INDEX grants_by_end ON grants (until) WHERE until IS NOT NULL AND ended_at IS NULL;

-- Fulfillment -------------------------------------------------------------------------------------------------------

-- What we know of one account and course run in the LMS.
CREATE TABLE enrollments (
    id             TEXT    NOT NULL PRIMARY KEY,
    lms            TEXT    NOT NULL,
    account_id     TEXT    NOT NULL REFERENCES accounts (id),
    course_run     TEXT    NOT NULL,
    -- JSON: what was there before our first change.
    baseline       TEXT,
    -- JSON: what the LMS said last, and when.
    seen           TEXT,
    seen_at        INTEGER,
    -- JSON array of every mode that we set.
    given          TEXT    NOT NULL,
    -- When a live grant was last satisfied.
    satisfied_at   INTEGER,
    -- JSON: the request that is about to be, or may have been, sent; empty once its answer is recorded.
    intent         TEXT,
    intent_at      INTEGER,
    -- settled | due | waiting (for the LMS or a person) | observed: nothing is written while its shops are only observed
    state          TEXT    NOT NULL,
    -- Who goes first: 0 somebody paid and waits | 1 access is to end | 2 looking whether all is still right
    priority       INTEGER NOT NULL DEFAULT 0,
    -- take | keep: what a person answered when asked whether access is to end.
    answer         TEXT,
    -- When nothing was owed any more and what had been given was undone or let go.
    closed_at      INTEGER,
    -- JSON: why it is as it is.
    reason         TEXT,
    due_at         INTEGER,
    attempts       INTEGER NOT NULL DEFAULT 0,
    -- How often something happened that matters to it: whoever deals with it sees whether that was meanwhile.
    wakes          INTEGER NOT NULL DEFAULT 0,
    leased_until   INTEGER,
    fence          INTEGER NOT NULL DEFAULT 0,
    changed_at     INTEGER NOT NULL,
    UNIQUE (lms, account_id, course_run)
);
CREATE INDEX enrollments_due ON enrollments (lms, priority, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX enrollments_waiting ON enrollments (state) WHERE state IN ('waiting', 'observed');

-- Enrollment-allowed records: leave to enroll, given in the LMS to an address that has no account yet.
CREATE TABLE allowances (
    id           TEXT    NOT NULL PRIMARY KEY,
    lms          TEXT    NOT NULL,
    identity_id  TEXT    NOT NULL REFERENCES identities (id),
    course_run   TEXT    NOT NULL,
    -- wanted: to be made | making: there was none, and a request for one is about to be, or may have been, sent
    -- ours: we made it | theirs: it was there before us, and is never deleted by us | gone
    state        TEXT    NOT NULL,
    -- When the last request was written down.
    intent_at    INTEGER,
    due_at       INTEGER,
    attempts     INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER,
    fence        INTEGER NOT NULL DEFAULT 0,
    changed_at   INTEGER NOT NULL,
    UNIQUE (lms, identity_id, course_run)
);
CREATE INDEX allowances_due ON allowances (lms, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX allowances_there ON allowances (lms) WHERE state IN ('wanted', 'making', 'ours', 'theirs');

-- Changes that adapters ask for beside the ledger, once a key.
CREATE TABLE effects (
    id            TEXT    NOT NULL PRIMARY KEY,
    shop          TEXT    NOT NULL,
    effect_key    TEXT    NOT NULL,
    delivery_id   TEXT    NOT NULL REFERENCES deliveries (id),
    lms           TEXT    NOT NULL,
    -- enrollment | allow | disallow | register
    kind          TEXT    NOT NULL,
    -- Whom it is about, as far as it says.
    email_id      TEXT REFERENCES identities (id),
    username_id   TEXT REFERENCES identities (id),
    course_run    TEXT,
    -- The enrollment in whose turn it is done, once the account is known.
    enrollment_id TEXT REFERENCES enrollments (id),
    -- JSON: what else it says. Emptied when it is over, because it may hold a name.
    request       TEXT    NOT NULL,
    -- due | done | refused | void: not done, and its key counts no more
    state         TEXT    NOT NULL,
    -- JSON: what came of it, or what went wrong last.
    reason        TEXT,
    -- JSON: the request that is about to be, or may have been, sent; empty once its answer is recorded.
    intent        TEXT,
    attempts      INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    due_at        INTEGER,
    done_at       INTEGER,
    leased_until  INTEGER,
    fence         INTEGER NOT NULL DEFAULT 0,
    UNIQUE (shop, effect_key)
);
CREATE INDEX effects_due ON effects (lms, due_at) WHERE due_at IS NOT NULL;
-- What must be over before another one may begin.
CREATE INDEX effects_due_by_delivery ON effects (delivery_id, id) WHERE due_at IS NOT NULL;
CREATE INDEX effects_due_by_email ON effects (email_id, id) WHERE due_at IS NOT NULL;
CREATE INDEX effects_due_by_username ON effects (username_id, id) WHERE due_at IS NOT NULL;
CREATE INDEX effects_due_by_enrollment ON effects (enrollment_id, id) WHERE due_at IS NOT NULL;

-- People ------------------------------------------------------------------------------------------------------------

-- Shops whose removals are paused. One row while they are, and the last release.
CREATE TABLE brakes (
    shop        TEXT    NOT NULL PRIMARY KEY,
    pulled_at   INTEGER,
    released_at INTEGER
);

-- Each shop's mode when the host last started.
CREATE TABLE shops (
    name TEXT NOT NULL PRIMARY KEY,
    mode TEXT NOT NULL
);

-- What needs a person. One row a `topic` while it is open: an unmapped product is one question however many bought it.
CREATE TABLE reviews (
    id            TEXT    NOT NULL PRIMARY KEY,
    -- Whose; none where it is about an LMS.
    shop          TEXT,
    -- The concern's code.
    code          TEXT    NOT NULL,
    -- What it is about: one open review each.
    topic         TEXT    NOT NULL,
    -- JSON: code and parameters.
    concern       TEXT    NOT NULL,
    delivery_id   TEXT REFERENCES deliveries (id),
    order_id      TEXT REFERENCES orders (id),
    line_id       TEXT REFERENCES lines (id),
    enrollment_id TEXT REFERENCES enrollments (id),
    -- How often it came up, and when last.
    times         INTEGER NOT NULL DEFAULT 1,
    opened_at     INTEGER NOT NULL,
    last_at       INTEGER NOT NULL,
    resolved_at   INTEGER,
    -- Who or what, and in which words.
    resolution    TEXT,
    -- noted | keep | take | again: what a person answered; nothing where facts settled it.
    answer        TEXT
);
CREATE UNIQUE INDEX reviews_open ON reviews (topic) WHERE resolved_at IS NULL;
CREATE INDEX reviews_by_order ON reviews (order_id);
CREATE INDEX reviews_by_enrollment ON reviews (enrollment_id) WHERE enrollment_id IS NOT NULL;
CREATE INDEX reviews_by_topic ON reviews (topic, resolved_at);

-- Every change and every deliberate non-change, with its reason. Never altered, never personal.
CREATE TABLE audit (
    id            TEXT    NOT NULL PRIMARY KEY,
    at            INTEGER NOT NULL,
    -- host | adapter NAME@VERSION | operator NAME
    actor         TEXT    NOT NULL,
    -- grant-began | grant-ended | enrolled | unenrolled | left-alone | account-found | … 
    action        TEXT    NOT NULL,
    -- JSON: code and parameters.
    reason        TEXT    NOT NULL,
    delivery_id   TEXT,
    order_id      TEXT,
    line_id       TEXT,
    grant_id      TEXT,
    enrollment_id TEXT
);
CREATE INDEX audit_by_enrollment ON audit (enrollment_id, id);
CREATE INDEX audit_by_order ON audit (order_id, id);
CREATE INDEX audit_by_delivery ON audit (delivery_id, id);

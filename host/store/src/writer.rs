//! The one writer: commands queue up, and everything that is queued is committed together.
//!
//! Owns the write connection and the transaction. A command never sees another one's failure: each runs in a savepoint of
//! its own. Nobody is answered before the commit is on disk.

use std::{future::Future, pin::Pin};

use sqlx::{Connection, SqliteConnection};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};

use crate::error::{Result, StoreError};

/// How many commands one transaction takes at most: enough to share a disk sync among everybody who waits, few enough
/// that the first of them does not wait long for the last. More wait for the next one.
const BATCH_MAX: usize = 128;

/// How many commands may wait. Beyond it workers wait for room, and what a shop waits for fails at once as
/// [`StoreError::Full`], which the gateway turns into a 503: a shop that is told soon can send again.
const QUEUE_MAX: usize = 1_024;

/// A change of the store: closed, named, data in and data out.
pub(crate) trait Command: Send + 'static {
    /// Must it be on disk before the caller is answered? A claim need not: lost with the machine's power, it is as if it
    /// had never been made. What is not synced is never overtaken by what is: the log of changes is one.
    const DURABLE: bool = true;

    /// What it answers.
    type Output: Send + 'static;

    /// Does it, inside a transaction that somebody else commits.
    fn execute(self, connection: &mut SqliteConnection) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// Answers the caller once it is known whether the transaction was committed.
type Reply = Box<dyn FnOnce(bool) + Send>;

trait Job: Send {
    fn is_durable(&self) -> bool;

    fn execute<'c>(
        self: Box<Self>,
        connection: &'c mut SqliteConnection,
    ) -> Pin<Box<dyn Future<Output = (bool, Reply)> + Send + 'c>>;
}

struct Queued<C: Command> {
    command: C,
    reply: oneshot::Sender<Result<C::Output>>,
}

impl<C: Command> Job for Queued<C> {
    fn is_durable(&self) -> bool {
        C::DURABLE
    }

    fn execute<'c>(
        self: Box<Self>,
        connection: &'c mut SqliteConnection,
    ) -> Pin<Box<dyn Future<Output = (bool, Reply)> + Send + 'c>> {
        Box::pin(async move {
            let Self { command, reply } = *self;
            let result = command.execute(connection).await;
            let keep = result.is_ok();
            let answer: Reply = Box::new(move |committed| {
                let result = if committed { result } else { result.and(Err(StoreError::Closed)) };
                // A caller that has gone away no longer wants to know.
                drop(reply.send(result));
            });
            (keep, answer)
        })
    }
}

/// What the writer is told.
enum Message {
    Do(Box<dyn Job>),
    /// End in good order, and say so.
    Close(oneshot::Sender<()>),
}

/// The writer's end that callers hold.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("room", &self.queue.capacity()).finish()
    }
}

impl Writer {
    /// Starts the writer on a connection of its own. It ends when the last handle is dropped.
    pub(crate) fn start(connection: SqliteConnection) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(write(connection, jobs));
        Self { queue }
    }

    /// Has the command done and committed.
    pub(crate) async fn run<C: Command>(&self, command: C) -> Result<C::Output> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Message::Do(Box::new(Queued { command, reply }))).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Does what is queued, then ends; whatever comes later is answered `Closed`.
    pub(crate) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.queue.send(Message::Close(reply)).await.is_ok() {
            // An error means that the writer has ended already, which is what was wanted.
            drop(closed.await);
        }
    }

    /// The same, but fails at once where too many wait already.
    pub(crate) async fn run_if_room<C: Command>(&self, command: C) -> Result<C::Output> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Message::Do(Box::new(Queued { command, reply }))).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Full,
            TrySendError::Closed(_) => StoreError::Closed,
        })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

async fn write(connection: SqliteConnection, mut messages: mpsc::Receiver<Message>) {
    let mut file = LedgerFile { connection, syncs: true };
    let mut received = Vec::with_capacity(BATCH_MAX);
    let mut closing = None;
    while closing.is_none() && messages.recv_many(&mut received, BATCH_MAX).await > 0 {
        let mut batch = Vec::with_capacity(received.len());
        for message in received.drain(..) {
            match message {
                Message::Do(job) => batch.push(job),
                Message::Close(reply) => closing = Some(reply),
            }
        }
        let mut replies = Vec::with_capacity(batch.len());
        let committed = match file.commit(&mut batch, &mut replies).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(error = %StoreError::from(error).chain(), commands = replies.len(), "a transaction could not be committed");
                false
            }
        };
        // Jobs that were not reached are dropped here, which answers their callers with `Closed`.
        drop(batch);
        for reply in replies {
            reply(committed);
        }
    }
    if let Err(error) = file.close().await {
        tracing::warn!(%error, "the ledger was not closed in good order; the next start puts it right");
    }
    if let Some(reply) = closing {
        // Who no longer waits no longer needs to know.
        reply.send(()).ok();
    }
}

/// The file, through the only connection that writes to it.
struct LedgerFile {
    connection: SqliteConnection,
    /// Does a commit wait for the disk?
    syncs: bool,
}

impl LedgerFile {
    async fn commit(&mut self, batch: &mut Vec<Box<dyn Job>>, replies: &mut Vec<Reply>) -> sqlx::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let must_last = batch.iter().any(|job| job.is_durable());
        self.sync(must_last).await?;
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for job in batch.drain(..) {
            sqlx::query("SAVEPOINT command").execute(&mut *transaction).await?;
            let (keep, reply) = job.execute(&mut transaction).await;
            replies.push(reply);
            let end = if keep { "RELEASE command" } else { "ROLLBACK TO command" };
            sqlx::query(end).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    async fn sync(&mut self, syncs: bool) -> sqlx::Result<()> {
        if self.syncs != syncs {
            let pragma = if syncs { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
            sqlx::query(pragma).execute(&mut self.connection).await?;
            self.syncs = syncs;
        }
        Ok(())
    }

    /// Brings everything into the one file, so that a copy of it is a copy of the ledger, and closes it.
    async fn close(mut self) -> sqlx::Result<()> {
        self.sync(true).await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.connection).await?;
        self.connection.close().await
    }
}

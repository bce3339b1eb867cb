//! What a host reads of alerts, and that somebody has read them.

use std::sync::Arc;

use workflow_types::alert::{
    Acknowledged, Alert, AlertChange, AlertFilter, AlertKey, AlertPage, AlertSource, CheckedItem,
    Findings, Notice, NoticePage, Receipt, RoundRecorded, Verdict,
};
use workflow_types::damage::Listed;
use workflow_types::id::{Actor, AlertId, NoticeId};

use super::watch::AlertWatch;
use crate::engine::Engine;
use crate::error::{During as _, Error, ErrorKind};
use crate::gateway::Gateway;
use crate::reader::Reader;

/// The alerts of a gateway; made by [`Gateway::alerts`].
///
/// Whatever is answered is durable. What can be read of alerts is read by [`Gateway::reader`].
#[derive(Clone, Copy)]
pub struct Alerts<'a> {
    gateway: &'a Gateway,
}

impl Gateway {
    /// The alerts: what somebody has to look at.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gateway::Gateway;
    /// use gateway::workflow_types::alert::{AlertFilter, Finding, Findings, Verdict};
    /// use gateway::workflow_types::alert::AlertSource;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// let gateway = Gateway::builder().database(dir.path().join("agentspace.db")).start().await?;
    /// let details = "95 % of /var is used".to_owned();
    /// let found = Finding {
    ///     item: "Is there room on the disk?".to_owned(),
    ///     verdict: Verdict::ActionNeeded { details },
    /// };
    /// gateway.alerts().record(Findings {
    ///     source: AlertSource::Heartbeat("ops".parse()?),
    ///     execution: "01890a5d-ac96-774b-bcce-b302099a8057".parse()?,
    ///     at: gateway.now(),
    ///     findings: vec![found],
    ///     unknown_after: 3.try_into()?,
    /// }).await?;
    /// let unread = AlertFilter { unread: Some(true), ..AlertFilter::default() };
    /// let page = gateway.reader().alerts(unread, None, 10).await?;
    /// let read = gateway.alerts().acknowledge(page.items[0].id, "ann".parse()?).await?;
    /// assert!(read.is_open() && !read.is_unread());
    /// gateway.shutdown().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn alerts(&self) -> Alerts<'_> {
        Alerts { gateway: self }
    }
}

impl Alerts<'_> {
    /// Somebody has read an alert, open or not: nobody is reminded of it any more. The first who
    /// says so is named.
    ///
    /// Fails with [`ErrorKind::NotFound`] if there is none.
    pub async fn acknowledge(&self, id: AlertId, by: Actor) -> Result<Alert, Error> {
        let by = self.now(by);
        let alerts = self.engine().store.alerts();
        let read = alerts.acknowledge_alert(id, by).await;
        let read = read.during(format_args!("acknowledging alert {id}"))?;
        self.engine().alerts.look();
        Ok(read)
    }

    /// Somebody has read every alert that there is; answers how many nobody had read.
    pub async fn acknowledge_all(&self, by: Actor) -> Result<usize, Error> {
        let by = self.now(by);
        let alerts = self.engine().store.alerts();
        let read = alerts.acknowledge_all_alerts(by).await;
        let read = read.during("acknowledging the unread alerts")?;
        self.engine().alerts.look();
        Ok(read)
    }

    /// Records what an execution found out about all items of a source, with the alerts that follow
    /// from it. What one execution found counts once, however often it is recorded; its words are
    /// stored without the values of secrets that were revealed.
    pub async fn record(&self, mut findings: Findings) -> Result<RoundRecorded, Error> {
        // What a heartbeat found was read from outputs that are masked; this comes from anywhere.
        let mask = &self.engine().secrets.mask;
        for finding in &mut findings.findings {
            match &mut finding.verdict {
                Verdict::ActionNeeded { details: words } | Verdict::Unknown { reason: words } => {
                    *words = mask.text(words).into_owned();
                }
                Verdict::Clear => {}
            }
        }
        self.engine().record_findings(findings).await
    }

    /// Every open alert of a source is over, because the source is.
    pub async fn clear(
        &self,
        source: AlertSource,
        reason: String,
    ) -> Result<Vec<AlertChange>, Error> {
        let now = self.gateway.now();
        self.engine().clear_alerts(source, reason, now).await
    }

    fn now(self, by: Actor) -> Acknowledged {
        Acknowledged {
            by,
            at: self.gateway.now(),
        }
    }

    fn engine(&self) -> &Arc<Engine> {
        &self.gateway.engine
    }
}

impl Reader {
    /// Alerts, the newest first, a page at a time; damaged ones are named beside them.
    pub async fn alerts(
        &self,
        filter: AlertFilter,
        after: Option<AlertKey>,
        limit: usize,
    ) -> Result<AlertPage, Error> {
        let page = self.store().alerts().alerts(filter, after, limit).await;
        page.during("listing alerts")
    }

    /// An alert; fails with [`ErrorKind::NotFound`] if there is none.
    pub async fn alert(&self, id: AlertId) -> Result<Alert, Error> {
        let found = self.store().alerts().alert(id).await;
        found.during("reading an alert")?.ok_or_else(|| {
            let context = format!("there is no alert {id}");
            Error::new(ErrorKind::NotFound, context)
        })
    }

    /// How many alerts nobody has acknowledged.
    pub async fn count_unread_alerts(&self) -> Result<usize, Error> {
        let count = self.store().alerts().count_unread_alerts().await;
        count.during("counting the unread alerts")
    }

    /// The last result of each item of a source.
    pub async fn checked_items(&self, source: &AlertSource) -> Result<Listed<CheckedItem>, Error> {
        let items = self.store().alerts().checked_items(source).await;
        items.during("listing what was checked")
    }

    /// What was told of an alert, in its order.
    pub async fn notices_of(&self, id: AlertId) -> Result<Vec<Notice>, Error> {
        let notices = self.store().alerts().notices_of(id).await;
        notices.during("reading what was told of an alert")
    }

    /// At most `limit` notices of all alerts after a place; see [`Reader::watch_alerts`] for those
    /// that are still to come.
    pub async fn notices_after(&self, place: u64, limit: usize) -> Result<NoticePage, Error> {
        let page = self.store().alerts().notices_after(place, limit).await;
        page.during("reading what was told of alerts")
    }

    /// The place of the latest notice; 0 if there is none.
    pub async fn latest_notice(&self) -> Result<u64, Error> {
        let place = self.store().alerts().latest_notice().await;
        place.during("looking for the latest notice")
    }

    /// How far each sink has been told a notice.
    pub async fn receipts(&self, notice: NoticeId) -> Result<Vec<Receipt>, Error> {
        let receipts = self.store().alerts().receipts(notice).await;
        receipts.during("reading who was told")
    }

    /// Watches what is told of alerts, whichever process finds them, from a place on; 0 is before
    /// everything.
    pub async fn watch_alerts(&self, after: u64) -> Result<AlertWatch, Error> {
        // Before anything is read: then nothing is missed.
        let commits = self.commits().await?;
        Ok(AlertWatch::beside(self.clone(), commits, after))
    }
}

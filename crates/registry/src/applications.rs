//! Applications: numbered revisions, of which the last one counts.

use std::{collections::BTreeMap, num::NonZeroU32};

use formats::{
    application::{ApplicationRevision, ApplicationSpec, REVISION_FORMAT},
    name::ApplicationName,
};

use crate::{Registry, RegistryError, document, error, layout, objects::Creation};

impl Registry {
    /// Makes `application` the current revision; the `bool` says whether that took a new one.
    ///
    /// What is already deployed stays as it is, so a call that failed may be repeated. Of two different calls at the
    /// same time both become revisions, one after the other.
    pub async fn deploy(&self, application: ApplicationSpec) -> Result<(ApplicationRevision, bool), RegistryError> {
        let folder = layout::revisions(&application.name);
        loop {
            let newest = self.objects.numbers(&folder).await?.last().copied();
            match self.newest_revision(&application.name, newest).await {
                Ok(Some(current)) if current.application == application => return Ok((current, false)),
                // A damaged revision is repaired by deploying a good one over it.
                Ok(_) | Err(RegistryError::Corrupt { .. }) => {}
                Err(error) => return Err(error),
            }
            let revision = error::after(newest, &folder)?;
            let document = ApplicationRevision {
                format: REVISION_FORMAT,
                revision,
                deployed_at_ms: document::now_ms(),
                application: application.clone(),
            };
            let created = self
                .objects
                .create_document(&layout::numbered(&folder, revision), &document)
                .await?;
            if created == Creation::Done {
                return Ok((document, true));
            }
        }
    }

    /// The revision that counts.
    ///
    /// Errors: an application that was never deployed; a damaged document.
    pub async fn current(&self, application: &ApplicationName) -> Result<ApplicationRevision, RegistryError> {
        let newest = self.newest_number(application).await?;
        let revision = self.newest_revision(application, newest).await?;
        revision.ok_or_else(|| RegistryError::UnknownApplication(application.clone()))
    }

    /// The number of the revision that counts, without reading it; `None` for what was never deployed.
    async fn newest_number(&self, application: &ApplicationName) -> Result<Option<NonZeroU32>, RegistryError> {
        Ok(self.revision_numbers(application).await?.last().copied())
    }

    /// The numbers of all revisions, ascending; none for what was never deployed.
    pub async fn revision_numbers(&self, application: &ApplicationName) -> Result<Vec<NonZeroU32>, RegistryError> {
        self.objects.numbers(&layout::revisions(application)).await
    }

    /// All revisions, oldest first.
    ///
    /// Errors: as [`Registry::current`].
    pub async fn revisions(&self, application: &ApplicationName) -> Result<Vec<ApplicationRevision>, RegistryError> {
        let mut revisions = Vec::new();
        for number in self.revision_numbers(application).await? {
            revisions.extend(self.revision(application, number).await?);
        }
        if revisions.is_empty() {
            Err(RegistryError::UnknownApplication(application.clone()))
        } else {
            Ok(revisions)
        }
    }

    /// The number of the revision that counts, of each application that has one, without reading any.
    ///
    /// `known` are numbers that were the newest at some time: a store is asked for those that came later, so looking again
    /// and again costs the same however long the history is.
    pub async fn newest_revisions(
        &self,
        known: impl Fn(&ApplicationName) -> Option<NonZeroU32>,
    ) -> Result<BTreeMap<ApplicationName, NonZeroU32>, RegistryError> {
        let mut newest = BTreeMap::new();
        for folder in self.objects.folders(&layout::applications()).await? {
            let Ok(name) = folder.parse::<ApplicationName>() else {
                continue;
            };
            let later = match known(&name) {
                Some(known) => self.objects.newest_since(&layout::revisions(&name), known).await?,
                None => None,
            };
            // One that is not there any more is looked for with more care, as one that was never there.
            let number = match later {
                Some(number) => Some(number),
                None => self.newest_number(&name).await?,
            };
            newest.extend(number.map(|number| (name, number)));
        }
        Ok(newest)
    }

    async fn newest_revision(
        &self,
        application: &ApplicationName,
        newest: Option<NonZeroU32>,
    ) -> Result<Option<ApplicationRevision>, RegistryError> {
        match newest {
            Some(number) => self.revision(application, number).await,
            None => Ok(None),
        }
    }

    /// One revision, or `None` where there is no such.
    ///
    /// Errors: a damaged document.
    pub async fn revision(
        &self,
        application: &ApplicationName,
        number: NonZeroU32,
    ) -> Result<Option<ApplicationRevision>, RegistryError> {
        let path = layout::numbered(&layout::revisions(application), number);
        let place =
            |document: &ApplicationRevision| format!("revision {} of {}", document.revision, document.application.name);
        let expected = format!("revision {number} of {application}");
        self.objects
            .read_document(&path, REVISION_FORMAT, &expected, place)
            .await
    }
}

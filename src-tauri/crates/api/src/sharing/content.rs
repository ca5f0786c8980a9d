//! What only keys can tell: ids that must belong to a key, and signatures inside operations.

use cairn_core::authority::Acl;
use cairn_core::canonical::sha256;
use cairn_core::id::DeviceId;
use cairn_core::op::{Change, Op, Vouch};
use cairn_core::{criterion, decision, release};
use cairn_sync::keys;

/// The SSHSIG namespace in which one computer gives its word for another.
pub const DEVICE: &str = "device@cairn";

/// Checks the parts of an operation that are signatures or must hash to something. `acl` is what
/// its author could see.
pub fn check_content(op: &Op, acl: &Acl, device: &DeviceId) -> Result<(), String> {
    let belongs = |key: &str, device: &DeviceId| match keys::device_id(key) {
        Ok(id) if id == *device => Ok(()),
        _ => Err("the computer's id does not belong to its key".to_owned()),
    };
    let vouched = |vouch: Option<&Vouch>, device: &DeviceId| match vouch {
        None => Ok(()),
        Some(vouch) => acl
            .key_of(&vouch.device)
            .and_then(|key| keys::verify(key, DEVICE, device.as_str().as_bytes(), &vouch.signature).ok())
            .ok_or_else(|| "the older computer's word for it is not signed by that computer".to_owned()),
    };
    match op {
        Op::WorkspaceCreated { first, .. } => belongs(&first.key.0, &first.device),
        Op::MemberAdmitted(a) => belongs(&a.key.0, &a.device).and_then(|()| vouched(a.vouch.as_ref(), &a.device)),
        Op::DeviceRequested { key, .. } => belongs(&key.0, device),
        Op::DeviceRotated { device: new, key, proof } => {
            belongs(&key.0, new)?;
            keys::verify(&key.0, DEVICE, device.as_str().as_bytes(), proof)
                .map_err(|_| "the new key did not sign for the change".to_owned())
        }
        Op::QuorumProposed { change: Change::SetRecovery { device, key } } => belongs(&key.0, device),
        Op::ReleaseSigned { release, signoff, decision, role, statement, signature } => {
            let member = signed_by(acl, device, signoff, statement, signature)?;
            let says = release::read(statement)?;
            let same = says.release == release.as_str() && says.decision == *decision && says.role == *role && says.principal == member;
            if same { Ok(()) } else { Err("the signed statement says something else than the sign-off".to_owned()) }
        }
        Op::ReleaseDecided { release, signoff, decision: ruling, role, statement, signature, page, page_size } => {
            let member = signed_by(acl, device, signoff, statement, signature)?;
            let says = decision::read(statement)?;
            let same = says.release == *release
                && says.decision == *ruling
                && says.role == *role
                && says.principal.as_str() == member
                && says.shown.sha256 == *page
                && says.shown.size == *page_size;
            if same { Ok(()) } else { Err("the signed statement says something else than the sign-off".to_owned()) }
        }
        Op::CriteriaSigned { criteria, signoff, role, statement, signature } => {
            let member = signed_by(acl, device, signoff, statement, signature)?;
            let says = criterion::read(statement)?;
            let same = says.criteria == criteria.as_str() && says.role == *role && says.principal == member;
            if same { Ok(()) } else { Err("the signed statement says something else than the sign-off".to_owned()) }
        }
        // Each by name: an operation that carries a signature must not slip in unchecked.
        Op::RoleGranted { .. }
        | Op::RoleRevoked { .. }
        | Op::DeviceRevoked { .. }
        | Op::DeviceReadmitted { .. }
        | Op::DeviceSealed { .. }
        | Op::QuorumProposed {
            change: Change::GrantOwner { .. } | Change::RevokeOwner { .. } | Change::RevokeDevice { .. } | Change::ReadmitDevice { .. },
        }
        | Op::QuorumSeconded { .. }
        | Op::RulesAdopted { .. }
        | Op::ProjectCreated { .. }
        | Op::ProjectEdited { .. }
        | Op::ProjectMemberAdded { .. }
        | Op::ProjectMemberRemoved { .. }
        | Op::ProjectStageEntered { .. }
        | Op::ProjectTemplateSet { .. }
        | Op::ProjectAnswered { .. }
        | Op::ProjectTriggered { .. }
        | Op::ProjectEnded { .. }
        | Op::ProjectResumed { .. }
        | Op::ProjectClassSet { .. }
        | Op::ProjectClassAgreed { .. }
        | Op::ExperimentCreated { .. }
        | Op::ExperimentRenamed { .. }
        | Op::ExperimentLinked { .. }
        | Op::ExperimentTagged { .. }
        | Op::RunCreated { .. }
        | Op::RunUpdated { .. }
        | Op::RunParamsLogged { .. }
        | Op::RunTagged { .. }
        | Op::RunMetricSummarised { .. }
        | Op::RunMetricsSummarised { .. }
        | Op::SegmentStored { .. }
        | Op::RunInputsLogged { .. }
        | Op::RunOutputsLogged { .. }
        | Op::LoggedModelCreated { .. }
        | Op::LoggedModelUpdated { .. }
        | Op::LoggedModelTagged { .. }
        | Op::LoggedModelParamsLogged { .. }
        | Op::LoggedModelMetricsSummarised { .. }
        | Op::ArtifactLogged { .. }
        | Op::ArtifactRemoved { .. }
        | Op::ArtifactReferenced { .. }
        | Op::RunSourceRecorded { .. }
        | Op::DatasetCreated { .. }
        | Op::DatasetVersionAdded { .. }
        | Op::ModelCreated { .. }
        | Op::ModelVersionAdded { .. }
        | Op::ModelAliasSet { .. }
        | Op::ModelRegistered { .. }
        | Op::ModelRenamed { .. }
        | Op::ModelLinked { .. }
        | Op::ModelDescribed { .. }
        | Op::ModelTagged { .. }
        | Op::ModelVersionRegistered { .. }
        | Op::ModelVersionDescribed { .. }
        | Op::ModelVersionTagged { .. }
        | Op::ModelVersionStaged { .. }
        | Op::CardEdited { .. }
        | Op::NoteCreated { .. }
        | Op::NoteEdited { .. }
        | Op::ViewCreated { .. }
        | Op::ViewEdited { .. }
        | Op::NoteFrozen { .. }
        | Op::PanelCreated { .. }
        | Op::PanelEdited { .. }
        | Op::PinCreated { .. }
        | Op::PinEdited { .. }
        | Op::TemplateSaved { .. }
        | Op::RecordAttached { .. }
        | Op::CommentWritten { .. }
        | Op::CommentEdited { .. }
        | Op::CommentResolved { .. }
        | Op::CommentReopened { .. }
        | Op::MaturityAssessed { .. }
        | Op::CriteriaWritten { .. }
        | Op::FindingRaised { .. }
        | Op::FindingEdited { .. }
        | Op::FindingGraded { .. }
        | Op::FindingAssigned { .. }
        | Op::FindingSettled { .. }
        | Op::FindingReopened { .. }
        | Op::SettingChanged { .. }
        | Op::ChecklistStarted { .. }
        | Op::ChecklistPickedUp { .. }
        | Op::ChecklistItemDone { .. }
        | Op::ChecklistItemReopened { .. }
        | Op::ChecklistHandedBack { .. }
        | Op::ChecklistCompleted { .. }
        | Op::ChecklistAssigned { .. }
        | Op::ChecklistDueSet { .. }
        | Op::ChecklistBlocked { .. }
        | Op::ChecklistUnblocked { .. }
        | Op::ChecklistReceived { .. }
        | Op::ChecklistAccepted { .. }
        | Op::MonitorPlanned { .. }
        | Op::MonitorReported { .. }
        | Op::ReleaseRequested { .. }
        | Op::ReleaseWithdrawn { .. }
        | Op::ReleaseSubmitted { .. }
        | Op::ReleaseAnswered { .. }
        | Op::DeploymentRecorded { .. }
        | Op::RequestDeclined { .. }
        | Op::DeviceWitnessed { .. }
        | Op::RecordDeleted { .. }
        | Op::RecordRestored { .. } => Ok(()),
    }
}

/// Who signed a statement, by the key of the computer that sent it.
fn signed_by(acl: &Acl, device: &DeviceId, signoff: &str, statement: &str, signature: &str) -> Result<String, String> {
    // Named by its own signature, so that nobody can write over another's sign-off.
    if signoff != signoff_id(signature) {
        return Err("the sign-off is not named by its signature".to_owned());
    }
    let (member, _) = acl.member_of(device).ok_or("the signer is unknown")?;
    let key = acl.key_of(device).unwrap_or_default();
    keys::verify(key, release::NAMESPACE, statement.as_bytes(), signature)
        .map_err(|_| "the sign-off is not signed with the key of whoever sent it".to_owned())?;
    Ok(member.to_string())
}

/// What a sign-off is called: the beginning of the sha256 over its signature.
pub fn signoff_id(signature: &str) -> String {
    sha256(signature.as_bytes()).as_str()[..32].to_owned()
}

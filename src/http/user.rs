use super::gate::{Fields, Visitor};
use super::{ApiError, App};
use crate::store::ProfileName;

/// The profile that OpenAI's field `user` names, where it may and there is one. It is then taken out of the body.
///
/// # Errors
/// 401 and 403 for who may not use profiles, whether there is one of that name or not; 503 when the store cannot be used.
pub async fn user(app: &App, visitor: &Visitor, body: &mut Fields) -> Result<Option<ProfileName>, ApiError> {
    if !app.user_field || !app.service.store().exists() {
        return Ok(None);
    }
    let place = body.iter().position(|(key, _)| key == "user");
    let user = place
        .and_then(|place| body.get(place))
        .and_then(|(_, value)| value.as_text());
    let Some((place, name)) = place.zip(user.and_then(|user| ProfileName::new(user).ok())) else {
        return Ok(None);
    };
    visitor.may_use_what_is_stored().await?;
    let there = app
        .service
        .store()
        .of(&name, |store, name| store.has_profile(name))
        .await?;
    if there {
        body.remove(place);
    }
    Ok(Some(name).filter(|_| there))
}

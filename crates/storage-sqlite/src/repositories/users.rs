//! Accounts.

use diesel::prelude::*;
use doorbell_domain::store::{Found, StoreError, Users};
use doorbell_domain::{PhoneNumber, User, UserId};

use super::Repositories;
use crate::rows::{SaveUser, UserRow};
use crate::schema::users;
use crate::trouble::Around;
use crate::values::Id;

const TABLE: &str = "users";

impl Users for Repositories<'_> {
    fn user_by_phone(&mut self, phone: &PhoneNumber) -> Found<Option<User>> {
        let row: Option<UserRow> = users::table
            .filter(users::phone.eq(phone.e164()))
            .select(UserRow::as_select())
            .first(self.connection)
            .optional()
            .around(TABLE)?;
        row.map(User::try_from).transpose()
    }

    fn find_or_insert_user(&mut self, user: &User) -> Found<User> {
        diesel::insert_into(users::table)
            .values(&UserRow::of(user)?)
            .on_conflict(users::phone)
            .do_nothing()
            .execute(self.connection)
            .around(TABLE)?;
        let found = match &user.phone {
            Some(phone) => self.user_by_phone(phone)?,
            None => self.lock_user(user.id)?,
        };
        found.ok_or_else(|| StoreError::Failed("an account that was just written is gone".to_owned()))
    }

    fn lock_user(&mut self, id: UserId) -> Found<Option<User>> {
        let row: Option<UserRow> = users::table
            .find(Id::from(id))
            .select(UserRow::as_select())
            .first(self.connection)
            .optional()
            .around(TABLE)?;
        row.map(User::try_from).transpose()
    }

    fn save_user(&mut self, user: &User) -> Found<()> {
        let row = UserRow::of(user)?;
        SaveUser { row: &row }
            .execute(self.connection)
            .around(TABLE)
            .map(drop)
    }
}

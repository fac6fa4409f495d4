//! The catalog of each shop: which product sells which course runs.
//!
//! Owns `catalog`. A change is prospective: lines that were sold before keep what they were pinned to. Lines that waited
//! because their product was unknown are given their courses by the change that maps it, in the same transaction.

use std::collections::{BTreeMap, HashMap};

use bursar_domain::{
    CourseRun, Mode, ShopName, Timestamp,
    grants::{CatalogAnswer, CatalogCourse},
    ids::CatalogEntryId,
    policy::ShopPolicy,
    statement::ProductId,
};
use sqlx::{Row, SqliteConnection};

use crate::{
    Store,
    error::Result,
    orders::{self, Occasion},
    reviews, rows,
    writer::Command,
};

/// One row of a catalog as people write it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CatalogRow {
    /// Whose catalog.
    pub shop: ShopName,
    /// The product.
    pub product: ProductId,
    /// What it sells; none if it is no course.
    pub sells: Option<(CourseRun, Option<Mode>)>,
}

/// What an import changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows that are new.
    pub added: u32,
    /// Rows that were there and are not wanted any more.
    pub ended: u32,
    /// Rows that were there already.
    pub unchanged: u32,
    /// Orders that had waited for a mapping and were looked at again.
    pub orders: u32,
}

impl Store {
    /// Every current row, ordered by shop and product.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn catalog(&self) -> Result<Vec<CatalogRow>> {
        let rows = sqlx::query(
            "SELECT shop, product_kind, product_id, course_run, mode FROM catalog WHERE ended_at IS NULL
             ORDER BY shop, product_kind, product_id, course_run",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let run: Option<CourseRun> = rows::parsed_option(row, "course_run")?;
                let mode: Option<Mode> = rows::parsed_option(row, "mode")?;
                Ok(CatalogRow {
                    shop: rows::parsed(row, "shop")?,
                    product: ProductId { kind: row.try_get("product_kind")?, id: row.try_get("product_id")? },
                    sells: run.map(|run| (run, mode)),
                })
            })
            .collect()
    }

    /// Makes the catalog say what `rows` say of the products they name; with `replace`, and nothing else for the shops they
    /// name. `policies` are those of every shop named.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn import_catalog(
        &self,
        rows: Vec<CatalogRow>,
        replace: bool,
        policies: BTreeMap<ShopName, ShopPolicy>,
        actor: String,
        now: Timestamp,
    ) -> Result<Imported> {
        self.writer.run(Import { rows, replace, policies, actor, now }).await
    }

    /// The course runs and modes that a shop's catalog has for the first of these ids that it knows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn courses_of(&self, shop: &ShopName, products: &[ProductId]) -> Result<Vec<(CourseRun, Option<Mode>)>> {
        let mut connection = self.readers.acquire().await?;
        let answers = answers(&mut connection, shop, products).await?;
        Ok(match products.iter().find_map(|product| answers.get(product)) {
            Some(CatalogAnswer::Courses(courses)) => {
                courses.iter().map(|course| (course.run.clone(), course.mode.clone())).collect()
            }
            Some(CatalogAnswer::NoCourse | CatalogAnswer::Unknown) | None => Vec::new(),
        })
    }
}

/// What an import of `wanted` would do to `current`, both of one shop. How many orders wait for it is not known beforehand.
#[must_use]
pub fn planned(current: &[CatalogRow], wanted: &[CatalogRow], replace: bool) -> Imported {
    let count = |rows: usize| u32::try_from(rows).unwrap_or(u32::MAX);
    let concerned = |row: &&CatalogRow| replace || wanted.iter().any(|other| other.product == row.product);
    Imported {
        added: count(wanted.iter().filter(|row| !current.contains(row)).count()),
        ended: count(current.iter().filter(concerned).filter(|row| !wanted.contains(row)).count()),
        unchanged: count(wanted.iter().filter(|row| current.contains(row)).count()),
        orders: 0,
    }
}

/// What the catalog says of each of these products; those that it does not know are missing.
pub(crate) async fn answers(
    connection: &mut SqliteConnection,
    shop: &ShopName,
    products: &[ProductId],
) -> Result<HashMap<ProductId, CatalogAnswer>> {
    let mut answers = HashMap::new();
    for product in products {
        if answers.contains_key(product) {
            continue;
        }
        let rows = sqlx::query(
            "SELECT id, course_run, mode FROM catalog
             WHERE shop = ? AND product_kind = ? AND product_id = ? AND ended_at IS NULL ORDER BY course_run",
        )
        .bind(shop.as_str())
        .bind(&product.kind)
        .bind(&product.id)
        .fetch_all(&mut *connection)
        .await?;
        if rows.is_empty() {
            continue;
        }
        let mut courses = Vec::new();
        for row in &rows {
            let run: Option<CourseRun> = rows::parsed_option(row, "course_run")?;
            if let Some(run) = run {
                let mode = rows::parsed_option(row, "mode")?;
                courses.push(CatalogCourse { entry: rows::parsed(row, "id")?, run, mode });
            }
        }
        let answer = if courses.is_empty() { CatalogAnswer::NoCourse } else { CatalogAnswer::Courses(courses) };
        answers.insert(product.clone(), answer);
    }
    Ok(answers)
}

/// What the answers say of the first of these ids that they know.
pub(crate) fn answer(answers: &HashMap<ProductId, CatalogAnswer>, ids: &[ProductId]) -> CatalogAnswer {
    ids.iter().find_map(|id| answers.get(id).cloned()).unwrap_or(CatalogAnswer::Unknown)
}

struct Import {
    rows: Vec<CatalogRow>,
    replace: bool,
    policies: BTreeMap<ShopName, ShopPolicy>,
    actor: String,
    now: Timestamp,
}

impl Command for Import {
    type Output = Imported;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Imported> {
        let mut imported = Imported::default();
        let mut wanted: BTreeMap<&ShopName, BTreeMap<&ProductId, Vec<&CatalogRow>>> = BTreeMap::new();
        for row in &self.rows {
            wanted.entry(&row.shop).or_default().entry(&row.product).or_default().push(row);
        }
        for (shop, products) in &wanted {
            if self.replace {
                imported.ended += self.end_unnamed(connection, shop, products).await?;
            }
            for (product, rows) in products {
                self.product(connection, shop, product, rows, &mut imported).await?;
                reviews::settle_product(connection, shop, &product.to_string(), self.now).await?;
            }
            if let Some(policy) = self.policies.get(*shop) {
                imported.orders += self.look_again(connection, shop, policy).await?;
            }
        }
        Ok(imported)
    }
}

impl Import {
    async fn end_unnamed(
        &self,
        connection: &mut SqliteConnection,
        shop: &ShopName,
        products: &BTreeMap<&ProductId, Vec<&CatalogRow>>,
    ) -> Result<u32> {
        let current =
            sqlx::query("SELECT id, product_kind, product_id FROM catalog WHERE shop = ? AND ended_at IS NULL")
                .bind(shop.as_str())
                .fetch_all(&mut *connection)
                .await?;
        let mut ended = 0;
        for row in current {
            let product = ProductId { kind: row.try_get("product_kind")?, id: row.try_get("product_id")? };
            if !products.contains_key(&product) {
                self.end(connection, row.try_get("id")?).await?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    async fn product(
        &self,
        connection: &mut SqliteConnection,
        shop: &ShopName,
        product: &ProductId,
        wanted: &[&CatalogRow],
        imported: &mut Imported,
    ) -> Result<()> {
        let current = sqlx::query(
            "SELECT id, course_run, mode FROM catalog
             WHERE shop = ? AND product_kind = ? AND product_id = ? AND ended_at IS NULL",
        )
        .bind(shop.as_str())
        .bind(&product.kind)
        .bind(&product.id)
        .fetch_all(&mut *connection)
        .await?;
        let mut kept = Vec::new();
        for row in &current {
            let run: Option<CourseRun> = rows::parsed_option(row, "course_run")?;
            let mode: Option<Mode> = rows::parsed_option(row, "mode")?;
            let sells = run.map(|run| (run, mode));
            if wanted.iter().any(|row| row.sells == sells) {
                kept.push(sells);
                imported.unchanged += 1;
            } else {
                self.end(connection, row.try_get("id")?).await?;
                imported.ended += 1;
            }
        }
        for row in wanted.iter().filter(|row| !kept.contains(&row.sells)) {
            let (run, mode) = row.sells.clone().map_or((None, None), |(run, mode)| (Some(run), mode));
            sqlx::query(
                "INSERT INTO catalog (id, shop, product_kind, product_id, course_run, mode, added_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(CatalogEntryId::new(self.now).to_string())
            .bind(shop.as_str())
            .bind(&product.kind)
            .bind(&product.id)
            .bind(run.as_ref().map(CourseRun::as_str))
            .bind(mode.as_ref().map(Mode::as_str))
            .bind(self.now.as_millis())
            .execute(&mut *connection)
            .await?;
            imported.added += 1;
        }
        Ok(())
    }

    async fn end(&self, connection: &mut SqliteConnection, id: String) -> Result<()> {
        sqlx::query("UPDATE catalog SET ended_at = ? WHERE id = ?")
            .bind(self.now.as_millis())
            .bind(id)
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn look_again(&self, connection: &mut SqliteConnection, shop: &ShopName, policy: &ShopPolicy) -> Result<u32> {
        let waiting = sqlx::query(
            "SELECT DISTINCT o.external_id FROM lines l JOIN orders o ON o.id = l.order_id
             WHERE l.unmapped = 1 AND o.shop = ?",
        )
        .bind(shop.as_str())
        .fetch_all(&mut *connection)
        .await?;
        let occasion = Occasion { now: self.now, actor: &self.actor, delivery: None };
        let mut orders = 0;
        for row in waiting {
            let external_id: String = row.try_get("external_id")?;
            if let Some(order) = orders::load(connection, shop, &external_id).await? {
                orders::settle(connection, Some(&order), order.clone(), Vec::new(), policy, &occasion).await?;
                orders += 1;
            }
        }
        Ok(orders)
    }
}

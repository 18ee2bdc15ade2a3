/// What the branches say about the tokens of another vocabulary than their own. It is put together when it is asked for.
///
/// A token's probability is the sum of what some of the branches' own tokens have. So its Δ lies between the least and the largest
/// Δ of those: (a + b) / (c + d) lies between a/c and b/d. Few tokens have to be put together to find all that are pulled far.
pub trait Projection: Send + Sync {
    /// Number of tokens of the other vocabulary.
    fn size(&self) -> usize;

    /// ln of the token's probability in the private and in the public branch, each up to a constant of the branch. `None` where
    /// the branches say nothing about it.
    fn logits(&self, index: usize) -> Option<[f32; 2]>;

    /// The constants: ln of what each branch's probabilities would sum to.
    fn normalisers(&self) -> (f64, f64);

    /// The tokens for which that does not hold, because something else is added to the sum.
    fn unbounded(&self) -> Vec<usize>;

    /// Adds the tokens that have a share of the branches' own token `index`.
    fn add_with_share_of(&self, index: usize, tokens: &mut Vec<usize>);
}

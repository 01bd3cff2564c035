//! What the stage and a driver say to each other, over a stream socket that the
//! driver finds as descriptor 3. docs/wire.md is the same for authors of drivers.

setTimeout(() => {}, 1e8);

exports.install = () => ({ setPolicy() {}, beginAttempt() {}, destroySockets() {} })

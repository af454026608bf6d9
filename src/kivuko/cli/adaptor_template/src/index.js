import * as Adaptor from './Adaptor.js';

export default Adaptor;
export * from './Adaptor.js';

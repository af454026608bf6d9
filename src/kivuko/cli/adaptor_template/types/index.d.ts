type State = { configuration?: object; data?: any; references?: any[]; [key: string]: any };
type Operation = (state: State) => State | Promise<State>;

export declare function execute(...operations: Operation[]): Operation;
export declare function fn(func: (state: State) => State | Promise<State>): Operation;
export declare function greet(name: string | ((state: State) => string)): Operation;
export declare function get(path: string | ((state: State) => string), options?: object): Operation;
